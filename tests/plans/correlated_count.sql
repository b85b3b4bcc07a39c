SELECT name, (SELECT count(*) FROM orders WHERE user_id = users.id) AS n FROM users
