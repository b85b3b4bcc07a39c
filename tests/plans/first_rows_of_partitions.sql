SELECT user_id, id FROM orders WHERE amount > 10 QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY day DESC) <= 2 AND user_id < 50
