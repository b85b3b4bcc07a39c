SELECT 1 + 2 * 3 AS a, upper('x') || 'y' AS b, id + (2 - 2) AS c FROM users WHERE 1 < 2 AND id > 10 - 5
