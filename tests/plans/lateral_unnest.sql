SELECT orders.id, e FROM orders, unnest(items) u(e) WHERE e > 3
