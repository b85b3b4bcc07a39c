WITH RECURSIVE chain(id) AS (SELECT id FROM users WHERE id = 1 UNION SELECT user_id FROM chain JOIN orders ON chain.id + 1 = orders.id) SELECT id FROM chain
