SELECT DISTINCT user_id FROM orders
