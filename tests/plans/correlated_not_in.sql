SELECT name FROM users WHERE country NOT IN (SELECT orders.id % 7 FROM orders WHERE user_id = users.id)
