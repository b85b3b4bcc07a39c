SELECT user_id, count(*) FILTER (WHERE amount > 5) AS n, count(DISTINCT day) AS days FROM orders GROUP BY ALL
