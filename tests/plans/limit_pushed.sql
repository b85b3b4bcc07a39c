SELECT id + 1 AS next FROM orders LIMIT 3
