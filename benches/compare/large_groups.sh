#!/usr/bin/env bash
# Groups many more keys than fit the budget, and checks the answer and the peak resident size of the process:
#     large_groups.sh PROGRAM [KEYS]
set -euo pipefail
program=$1
keys=${2:-50000000}
source "$(dirname "$0")/within_budget.sh"

# Each key twice, far apart and in no order; the multiplier has no factor in common with the number of keys.
rows=$((keys * 2))
sum=$((keys * (keys - 1)))
run "integers" "SELECT count(*), max(n), sum(k), sum(n) FROM (SELECT (x * 7919) % $keys AS k, count(*) AS n FROM range($rows) r(x) GROUP BY k)" \
    "$keys,2,$((sum / 2)),$rows"
run "texts" "SELECT count(*), max(n), sum(n) FROM (SELECT 'key number ' || ((x * 7919) % $((keys / 5))) AS k, count(*) AS n FROM range($((rows / 5))) r(x) GROUP BY k)" \
    "$((keys / 5)),2,$((rows / 5))"
run "one distinct count" "SELECT count(DISTINCT (x * 7919) % $keys) FROM range($rows) r(x)" "$keys"
