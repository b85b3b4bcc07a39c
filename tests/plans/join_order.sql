SELECT count(*) FROM orders o, users u, (SELECT 1 AS id) one WHERE o.user_id = u.id AND u.id = one.id
