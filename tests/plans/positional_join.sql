SELECT name, amount FROM users POSITIONAL JOIN orders
