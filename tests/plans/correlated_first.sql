SELECT name, (SELECT o.id FROM orders o WHERE o.user_id = users.id ORDER BY amount DESC LIMIT 1) AS best FROM users
