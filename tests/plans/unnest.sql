SELECT id, unnest(items) AS item FROM orders WHERE id < 5
