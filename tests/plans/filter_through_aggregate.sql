SELECT user_id, total FROM (SELECT user_id, sum(amount) AS total FROM orders GROUP BY user_id) WHERE user_id < 3 AND total > 10
