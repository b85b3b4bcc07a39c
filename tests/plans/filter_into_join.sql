SELECT name, amount FROM users JOIN orders ON users.id = orders.user_id WHERE country = 3 AND amount > 100
