SELECT id FROM orders WHERE amount >= ALL (SELECT amount FROM orders o WHERE o.user_id = orders.user_id)
