WITH totals AS (SELECT user_id, sum(amount) AS total, count(*) AS n FROM orders GROUP BY user_id) SELECT a.user_id FROM totals a JOIN totals b ON a.total = b.total WHERE a.user_id < b.user_id
