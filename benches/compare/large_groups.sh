#!/usr/bin/env bash
# Groups many more keys than fit the budget, and checks the answer and the peak resident size of the process:
#     large_groups.sh PROGRAM [KEYS]
# The bar is the budget, 128 MiB for the program itself, and 32 MiB for each thread.
set -euo pipefail
program=$1
keys=${2:-50000000}
threads=2
limit_mib=1024
bar_kib=$(((limit_mib + 128 + 32 * threads) * 1024))

run() { # name, query, expected answer
    local report answer peak seconds
    report=$(mktemp)
    answer=$(/usr/bin/time -v -o "$report" "$program" --threads $threads --memory-limit ${limit_mib}MiB query --format csv "$2" | tail -1)
    peak=$(awk '/Maximum resident/ {print $NF}' "$report")
    seconds=$(awk '/Elapsed/ {print $NF}' "$report")
    rm -f "$report"
    echo "$1: $seconds, peak $((peak / 1024)) MiB of $((bar_kib / 1024)) MiB, answer $answer"
    [[ "$answer" == "$3" ]] || { echo "expected $3"; return 1; }
    [[ "$peak" -le "$bar_kib" ]] || { echo "over the bar"; return 1; }
}

# Each key twice, far apart and in no order; the multiplier has no factor in common with the number of keys.
rows=$((keys * 2))
sum=$((keys * (keys - 1)))
run "integers" "SELECT count(*), max(n), sum(k), sum(n) FROM (SELECT (x * 7919) % $keys AS k, count(*) AS n FROM range($rows) r(x) GROUP BY k)" \
    "$keys,2,$((sum / 2)),$rows"
run "texts" "SELECT count(*), max(n), sum(n) FROM (SELECT 'key number ' || ((x * 7919) % $((keys / 5))) AS k, count(*) AS n FROM range($((rows / 5))) r(x) GROUP BY k)" \
    "$((keys / 5)),2,$((rows / 5))"
run "one distinct count" "SELECT count(DISTINCT (x * 7919) % $keys) FROM range($rows) r(x)" "$keys"
