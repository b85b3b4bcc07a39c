-- A short window, sums of whole numbers.
/* polars: rolling_1_hour */
SELECT event_id, sum(dwell_ms) OVER w AS dwell, count(*) OVER w AS events, max(dwell_ms) OVER w AS longest
FROM events
WINDOW w AS (PARTITION BY user_id ORDER BY ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW)
