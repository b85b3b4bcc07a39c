# Two commands carry the checks: `make test` (minutes; what continuous integration runs) and `make evidence`
# (everything at full size, resumable by part). Both need only cargo and Python 3 with venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
# Where PyTorch, Ray and Spark are: several gigabytes.
HEAVY ?= .venv-heavy
CARGO ?= cargo
# Seed and number of random queries that are compared with DuckDB; each run of CI may take another seed.
SEED ?= 1
QUERIES ?= 300

PROGRAM := $(or $(CARGO_TARGET_DIR),target)/debug/hypostyle
RELEASE := $(or $(CARGO_TARGET_DIR),target)/release/
# A command that measurements run under, such as one that stops other work meanwhile.
MEASURE ?=

.PHONY: help test check format lint unit oracle python native heavy datafusion hosts hosts-overhead wheel bless demo docs bench evidence clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

test: check unit docs oracle python ## all checks: format, lints, tests, fuzz replays, the guide, comparison with DuckDB

check: format lint ## format and lints, as each commit passes them

format:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --workspace --all-targets -- -D warnings

unit: ## unit, property, sqllogictest, golden, documentation and fuzz-replay tests
	$(CARGO) test --workspace --exclude hypostyle-benches

# The stamp is newer than the requirements once they are installed.
$(VENV)/oracle: tests/oracle/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)/compare: benches/compare/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

oracle: $(VENV)/oracle ## answers of sqllogictest files and random queries against DuckDB, features against scikit-learn
	$(CARGO) build --package hypostyle-cli
	$(VENV)/bin/python tests/oracle/fill.py --check tests/slt tests/real
	$(VENV)/bin/python tests/oracle/corpus.py --program $(PROGRAM)
	$(VENV)/bin/python tests/oracle/compare.py --program $(PROGRAM) --random $(QUERIES) --seed $(SEED)
	$(VENV)/bin/python tests/oracle/window_compare.py --program $(PROGRAM) --cases $(QUERIES) --seed $(SEED)
	$(VENV)/bin/python tests/oracle/features.py --program $(PROGRAM) --seed $(SEED)
	$(VENV)/bin/python tests/oracle/transforms.py --program $(PROGRAM) --seed $(SEED)
	$(VENV)/bin/python tests/oracle/embeddings.py --program $(PROGRAM) --cases 10 --seed $(SEED)
	$(VENV)/bin/python tests/oracle/substrait.py --program $(PROGRAM)
	$(VENV)/bin/python tests/oracle/tokens.py --program $(PROGRAM) --seed $(SEED)

$(VENV)/python: bindings/python/requirements-test.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

# The native module is the debug build of the workspace, put where the package looks for it: maturin would build it again.
native:
	$(CARGO) build --package hypostyle-python
	cp $(firstword $(wildcard $(dir $(PROGRAM))libhypostyle_native.so $(dir $(PROGRAM))libhypostyle_native.dylib) \
		$(dir $(PROGRAM))libhypostyle_native.so) bindings/python/python/hypostyle/_native.abi3.so

python: $(VENV)/python native ## the Python package: its native module, tests, examples of docstrings and README
	cd bindings/python && PYTHONPATH=python $(abspath $(VENV))/bin/python -m pytest

$(HEAVY)/heavy: bindings/python/requirements-heavy.txt bindings/python/requirements-test.txt
	$(PYTHON) -m venv $(HEAVY)
	$(HEAVY)/bin/pip install --quiet --disable-pip-version-check --no-cache-dir -r $<
	touch $@

# The same tests skip what is not installed. Spark wants Java 17.
heavy: $(HEAVY)/heavy native ## the adapters for PyTorch, Ray and Spark, on the real ones: 7 GB to install
	cd bindings/python && PYTHONPATH=python PATH="$(abspath $(HEAVY))/bin:$$PATH" $(abspath $(HEAVY))/bin/python -m pytest -rs --durations 5 \
		tests/test_torch.py tests/test_ray.py tests/test_spark.py tests/test_documentation.py

# A workspace of its own, with an Arrow of another major and two hundred crates: the first build takes some ten minutes on two cores,
# which is why it is not part of `make test`.
datafusion: ## the DataFusion package: format, lints, tests, examples
	cd bindings/datafusion && $(CARGO) fmt --check
	cd bindings/datafusion && $(CARGO) clippy --all-targets -- -D warnings
	cd bindings/datafusion && $(CARGO) test

# Ray is among the hosts where `make heavy` has installed it.
hosts: $(VENV)/python native ## one artifact in Rust, Python, Ray, C and DataFusion: the digests of what it gives
	$(CARGO) build --package hypostyle-cli --package hypostyle-c
	cd bindings/datafusion && $(CARGO) build --example apply_transform
	PYTHONPATH=bindings/python/python $(if $(wildcard $(HEAVY)/heavy),$(HEAVY),$(VENV))/bin/python tests/hosts/hosts.py \
		--libraries $(dir $(PROGRAM))

# Optimized builds of everything; on a quiet machine. One thread, so that a busy second core does not show. The C library gives memory that a batch
# has freed back to the system or keeps it for the next, as the layout of the heap falls, which is worth 7 %; it is told to keep it, in each host alike.
hosts-overhead: KEPT := 1073741824
hosts-overhead: $(VENV)/python ## what each host adds to the engine's time
	$(CARGO) build --release --package hypostyle-cli --package hypostyle-c --package hypostyle-python --package hypostyle-hosts
	cd bindings/datafusion && $(CARGO) build --profile measured --example overhead
	cp $(firstword $(wildcard $(RELEASE)libhypostyle_native.so $(RELEASE)libhypostyle_native.dylib) \
		$(RELEASE)libhypostyle_native.so) bindings/python/python/hypostyle/_native.abi3.so
	$(MEASURE) env MALLOC_TRIM_THRESHOLD_=$(KEPT) MALLOC_MMAP_THRESHOLD_=$(KEPT) PYTHONPATH=bindings/python/python \
		$(if $(wildcard $(HEAVY)/heavy),$(HEAVY),$(VENV))/bin/python tests/hosts/hosts.py --libraries $(RELEASE) --overhead bindings/datafusion/target/measured/examples/overhead

wheel: ## what a new user does: a wheel, a fresh environment, the README's example; its size and the time of an import
	$(PYTHON) bindings/python/try_wheel.py --python $(PYTHON) --into $(dir $(RELEASE:/=))wheels

bless: $(VENV)/oracle ## rewrite golden plans, the printed surface and missing answers; review the difference
	HYPOSTYLE_BLESS=1 $(CARGO) test --package hypostyle --test plans --test surface
	$(VENV)/bin/python tests/oracle/fill.py tests/slt tests/real

demo: ## build the program and run the main job: data, training table, sample, throughput
	$(CARGO) run --release --package hypostyle-cli -- demo

# mdBook's library, in a workspace of its own: half a minute to compile, and nothing to install.
docs: ## the guide as pages under target/book; every link in it is followed
	cd docs/builder && $(CARGO) fmt --check
	cd docs/builder && $(CARGO) test --quiet --locked --target-dir ../../target/guide
	cd docs/builder && $(CARGO) run --quiet --locked --target-dir ../../target/guide

bench: ## criterion benches of kernels and operators
	$(CARGO) bench --package hypostyle-benches

# One part: `make evidence PART=compare`; parts that already have a result for this commit are not run again.
evidence: $(VENV)/compare $(VENV)/oracle ## everything at full size, results under evidence/
	benches/compare/evidence.sh $(PART)

clean: ## remove what was built
	$(CARGO) clean
	rm -rf $(VENV) evidence
