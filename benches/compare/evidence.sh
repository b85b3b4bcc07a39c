#!/usr/bin/env bash
# Runs the checks at full size, part by part, and keeps each result with commit and machine under evidence/.
# A part with a result for this commit is not run again; `evidence.sh PART` runs only that one, anew.
set -euo pipefail
cd "$(dirname "$0")/../.."

commit=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- || commit="$commit-changed"
folder="evidence/$commit"
mkdir -p "$folder" evidence/data
program=${CARGO_TARGET_DIR:-target}/release/hypostyle
seconds=${FUZZ_SECONDS:-300}

machine() {
    echo "commit $commit, $(date -u +%Y-%m-%dT%H:%MZ)"
    echo "$(uname -srm), $(nproc) processors, $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs)"
    echo "$(awk '/MemTotal/ {printf "%.0f GiB of memory", $2 / 1048576}' /proc/meminfo), $(rustc --version)"
    echo
}

part_tpch() { # TPC-H at scale factor 1 beside its peers, and equal answers.
    .venv/bin/python benches/compare/compare.py tpch --scale "${SCALE:-1}" --data evidence/data --program "$program" \
        --peers duckdb polars datafusion chdb
}

part_features() { # Feature queries beside DuckDB, Polars and DataFusion.
    .venv/bin/python benches/compare/compare.py features --rows "${ROWS:-4000000}" --data evidence/data --program "$program"
}

part_windows() { # Windows over time and in order beside DuckDB and Polars.
    .venv/bin/python benches/compare/compare.py windows --rows "${ROWS:-5000000}" --peers duckdb polars --data evidence/data --program "$program"
}

part_asof() { # As-of joins beside DuckDB and Polars, on one thread and on two.
    for threads in 1 2; do
        .venv/bin/python benches/compare/as_of.py --threads "$threads" --data evidence/data/as-of --program "$program"
    done
}

part_tokens() { # Tokenizers beside their peers, on one core.
    .venv/bin/python benches/compare/tokens.py --program "$program"
}

part_bars() { # Feature functions beside the best peer of each, on one core (the Criteo chain on two).
    .venv/bin/python benches/compare/features_bars.py criteo json lists dictionary buckets recommender --data evidence/data --program "$program"
    .venv/bin/python benches/compare/embedding.py --program "$program"
}

part_fit() { # Fits of scales and vocabularies beside scikit-learn, Polars and DuckDB, by the Python package and by the program.
    cargo build --release --package hypostyle-python
    cp "$(dirname "$program")"/libhypostyle_native.so bindings/python/python/hypostyle/_native.abi3.so
    PYTHONPATH=bindings/python/python .venv/bin/python benches/compare/fit.py --data evidence/data --program "$program"
}

part_oracle() { # Many random queries against DuckDB.
    .venv/bin/python tests/oracle/compare.py --program "$program" --random "${QUERIES:-5000}"
}

part_benches() { # All criterion benches.
    cargo bench --package hypostyle-benches
}

part_fuzz() { # Each target for FUZZ_SECONDS seconds, a line each; needs the nightly compiler and cargo-fuzz.
    FUZZ_SECONDS="$seconds" fuzz/run.sh
}

part_large() { # Groups, and partitions of windows, far beyond the budget: answers and peak resident size.
    benches/compare/large_groups.sh "$program"
    benches/compare/large_windows.sh "$program"
}

part_scale() { # TPC-H at scale factor 10 within 1.5 GiB, at scale factor 1 with memory that does not suffice, and joins larger than memory.
    .venv/bin/python benches/compare/scale.py --scale "${LARGE_SCALE:-10}" --memory-limit 1GiB --resident 1.5GiB --data evidence/data --program "$program"
    for limit in 64MiB 32MiB; do
        .venv/bin/python benches/compare/scale.py --scale 1 --memory-limit "$limit" --spilled --data evidence/data --program "$program"
    done
    .venv/bin/python tests/oracle/join_memory.py --program "$program"
}

part_wide() { # Few of 5,000 columns, and 2,000 expressions.
    .venv/bin/python benches/compare/wide.py --data evidence/data --program "$program"
}

part_endurance() { # Ten thousand random queries in one process: no growth, no file left behind.
    .venv/bin/python benches/compare/endurance.py --program "$program" --queries "${ENDURANCE_QUERIES:-10000}"
}

part_metrics() { # The share of instructions that figures take.
    .venv/bin/python benches/compare/metrics_cost.py --data evidence/data --program "$program"
}

parts="tpch features bars fit windows asof tokens oracle benches fuzz large scale wide endurance metrics"
failed=
cargo build --release --package hypostyle-cli
for part in ${1:-$parts}; do
    result="$folder/$part.txt"
    if [[ -z "${1:-}" && -f "$result" ]]; then
        echo "$part: kept $result"
        continue
    fi
    echo "$part: running"
    # A part that fails keeps what it printed under another name, and the others still run.
    # (Inside of a condition the shell would go on after an error of the part.)
    set +e
    (set -e; machine; "part_$part") 2>&1 | tee "$result.part"
    status=$?
    set -e
    if [[ $status == 0 ]]; then
        mv "$result.part" "$result"
    else
        mv "$result.part" "$result.failed"
        failed="$failed $part"
    fi
done
if [[ -n $failed ]]; then
    echo "failed:$failed; see $folder/*.failed"
    exit 1
fi
