PIVOT (SELECT user_id, day, amount FROM orders) ON day IN ('2024-01-01', '2024-01-02') USING sum(amount) GROUP BY user_id
