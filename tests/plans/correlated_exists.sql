SELECT name FROM users WHERE EXISTS (SELECT 1 FROM orders WHERE user_id = users.id AND amount > 500)
