SELECT id FROM orders WHERE amount > (SELECT 0.5 * avg(amount) FROM orders o WHERE o.user_id = orders.user_id)
