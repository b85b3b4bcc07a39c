-- Numbers of events, and what came before.
SELECT
    event_id,
    row_number() OVER w AS n,
    lag(item_id) OVER w AS previous,
    sum(price) OVER w AS spent
FROM events
WINDOW w AS (PARTITION BY user_id ORDER BY ts)
