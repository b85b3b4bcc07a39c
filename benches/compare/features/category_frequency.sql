-- Frequent values of a category with many.
SELECT "C3", count(*) AS n FROM criteo WHERE "C3" IS NOT NULL GROUP BY "C3" HAVING count(*) >= 10
