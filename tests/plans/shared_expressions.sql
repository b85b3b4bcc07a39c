SELECT ln(amount + 1) AS a, ln(amount + 1) * 2 AS b, CASE WHEN amount > 5 THEN ln(amount + 1) END AS c FROM orders
