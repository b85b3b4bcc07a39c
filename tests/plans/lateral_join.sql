SELECT name, o.n FROM users LEFT JOIN LATERAL (SELECT count(*) AS n FROM orders WHERE user_id = users.id) o ON o.n > 3
