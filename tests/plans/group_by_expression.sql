SELECT day - DATE '2024-01-01' AS age, sum(amount) AS total FROM orders GROUP BY age HAVING total > 100 ORDER BY age
