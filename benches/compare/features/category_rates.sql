-- Click rate of each category.
SELECT "C1", count(*) AS shown, sum(label) AS clicked, avg(label) AS rate FROM criteo GROUP BY "C1"
