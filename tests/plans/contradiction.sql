SELECT id FROM orders WHERE id = 1 AND id = 2
