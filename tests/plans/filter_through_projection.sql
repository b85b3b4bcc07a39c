SELECT total FROM (SELECT amount * 2 AS total, user_id FROM orders) WHERE user_id = 5 AND total > 3
