SELECT count(*) FROM (SELECT id FROM orders ORDER BY amount)
