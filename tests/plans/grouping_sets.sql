SELECT country, name, count(*), grouping(country) FROM users GROUP BY ROLLUP (country, name) HAVING count(*) > 1
