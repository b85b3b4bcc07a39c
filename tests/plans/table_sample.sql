SELECT name FROM users TABLESAMPLE bernoulli(10%) REPEATABLE (5) WHERE country = 3
