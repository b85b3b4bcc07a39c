-- What each user did in the seven days up to each event.
/* polars: rolling_7_days */
SELECT
    event_id,
    sum(price) OVER w AS spent,
    count(*) OVER w AS events,
    min(price) OVER w AS cheapest
FROM events
WINDOW w AS (PARTITION BY user_id ORDER BY ts RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND CURRENT ROW)
