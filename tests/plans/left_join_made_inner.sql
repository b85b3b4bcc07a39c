SELECT name FROM users LEFT JOIN orders ON users.id = orders.user_id WHERE amount > 100
