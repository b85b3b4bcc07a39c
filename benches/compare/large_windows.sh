#!/usr/bin/env bash
# Windows over one partition that is far larger than the budget, and checks the answers and the peak resident size of the process:
#     large_windows.sh PROGRAM [ROWS]
set -euo pipefail
program=$1
rows=${2:-30000000}
source "$(dirname "$0")/within_budget.sh"

# The numbers 0 .. rows in no order; the multiplier has no factor in common with their number.
values="FROM (SELECT (x * 7919) % $rows AS k FROM range($rows) r(x))"
sum=$((rows * (rows - 1) / 2))
run "ranks and neighbours" "SELECT max(n), sum(n), sum(k - before), sum(ends) FROM (
    SELECT k, row_number() OVER w AS n, lag(k) OVER w AS before, last_value(k) OVER (w ROWS BETWEEN CURRENT ROW AND 9 FOLLOWING) - k AS ends
    $values WINDOW w AS (ORDER BY k))" \
    "$rows,$((sum + rows)),$((rows - 1)),$((9 * (rows - 9) + 36))"
run "running and whole" "SELECT max(s), max(share), count(*) FROM (
    SELECT sum(k) OVER (ORDER BY k ROWS UNBOUNDED PRECEDING) AS s, sum(k) OVER () AS share $values)" \
    "$sum,$sum,$rows"
run "up to the last row" "SELECT max(s), min(s), sum(n) FROM (
    SELECT sum(k) OVER w AS s, count(*) OVER w AS n $values WINDOW w AS (ORDER BY k ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING))" \
    "$sum,$((rows - 1)),$((sum + rows))"
