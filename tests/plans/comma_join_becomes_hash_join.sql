SELECT name, amount FROM users, orders WHERE users.id = orders.user_id AND day = DATE '2024-01-02'
