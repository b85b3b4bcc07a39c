#!/usr/bin/env bash
# Runs fuzz targets one after another and prints a line for each; fails if one of them found something.
#   fuzz/run.sh [TARGET..]     all targets, or these
# FUZZ_SECONDS (300) is the time of each, FUZZ_MEMORY_MIB (2048) what a run may take. What is found is kept under
# fuzz/artifacts/TARGET; the corpus under fuzz/corpus grows from run to run.
# Needs the nightly compiler and cargo-fuzz (cargo install cargo-fuzz). FUZZ_SANITIZER=none with FUZZ_TOOLCHAIN=stable
# needs no nightly compiler and builds and runs several times faster, but misses wrong accesses of unsafe code.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-300}
memory=${FUZZ_MEMORY_MIB:-2048}
targets=${*:-$(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' fuzz/Cargo.toml)}
machine=$(rustc -vV | sed -n 's/^host: //p')
programs=fuzz/target/$machine/release
# Inputs become files; they need not reach a disk.
[[ -w /dev/shm ]] && export TMPDIR=/dev/shm

# The versions that the tests run with.
cp Cargo.lock fuzz/Cargo.lock
mkdir -p fuzz/artifacts
cargo "+${FUZZ_TOOLCHAIN:-nightly}" fuzz build --sanitizer "${FUZZ_SANITIZER:-address}" >fuzz/artifacts/build.log 2>&1 ||
    { tail -30 fuzz/artifacts/build.log; exit 1; }
FUZZ_SEEDS="$PWD/fuzz/corpus" cargo test --quiet --test fuzz_replay good_inputs -- --ignored >/dev/null

failed=0
for target in $targets; do
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    folders=("fuzz/corpus/$target")
    [[ -d fuzz/regressions/$target ]] && folders+=("fuzz/regressions/$target")
    words=()
    [[ -f fuzz/dictionaries/$target.txt ]] && words=("-dict=fuzz/dictionaries/$target.txt")
    log=fuzz/artifacts/$target.log
    status=0
    "$programs/$target" -max_total_time="$seconds" -timeout=25 -rss_limit_mb="$memory" -print_final_stats=1 \
        -max_len=65536 -artifact_prefix="fuzz/artifacts/$target/" "${words[@]}" "${folders[@]}" >"$log" 2>&1 || status=$?
    figure() { sed -n "s/^stat::$1: *//p" "$log" | tail -1; }
    edges=$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)
    if [[ $status == 0 ]]; then
        echo "$target: clean, $(figure number_of_executed_units) inputs in $seconds s, ${edges:-0} edges," \
            "at most $(figure peak_rss_mb) MiB"
    else
        failed=1
        what=$(grep -m1 -E 'panicked at|ERROR: |SUMMARY' "$log" || echo "exit status $status")
        echo "$target: FAILED, $what; see $log"
    fi
done
exit $failed
