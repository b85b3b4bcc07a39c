-- Rows and columns of interest only.
SELECT label, "I5", "C1", "C9" FROM criteo WHERE "I1" > 2 AND "I6" < 100 AND "C20" IS NOT NULL
