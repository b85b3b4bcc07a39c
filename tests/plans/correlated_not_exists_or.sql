SELECT name FROM users WHERE country = 3 OR NOT EXISTS (SELECT 1 FROM orders WHERE user_id = users.id)
