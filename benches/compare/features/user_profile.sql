-- What is known of each user.
SELECT
    user_id,
    count(*) AS events,
    sum(CASE WHEN event_type = 'purchase' THEN 1 ELSE 0 END) AS purchases,
    avg(price) AS mean_price,
    max(price) AS top_price,
    max(dwell_ms) AS longest,
    count(DISTINCT item_id) AS items
FROM events
GROUP BY user_id
