SELECT name, amount FROM users LEFT JOIN orders ON users.id = orders.user_id AND amount > 100 WHERE country = 3
