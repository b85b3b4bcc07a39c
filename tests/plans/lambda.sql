SELECT list_transform(items, item -> item * 2 + user_id) AS doubled FROM orders
