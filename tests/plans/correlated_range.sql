SELECT name, (SELECT sum(amount) FROM orders WHERE user_id < users.id) AS n FROM users
