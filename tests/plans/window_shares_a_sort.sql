SELECT id, sum(amount) OVER (PARTITION BY user_id ORDER BY day), row_number() OVER (PARTITION BY user_id ORDER BY day, id), count(*) OVER (PARTITION BY user_id) FROM orders
