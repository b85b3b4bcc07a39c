SELECT amount FROM orders WHERE user_id = 5 AND amount > 10
