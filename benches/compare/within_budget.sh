# For scripts that hold a query against an answer and the peak resident size of its process; `program` is set before this is read.
# The bar is the budget, 128 MiB for the program itself, and 32 MiB for each thread.
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
