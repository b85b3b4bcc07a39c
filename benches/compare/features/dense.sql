-- Counts of a training table: fill, clip, log.
SELECT
    label,
    ln(1 + greatest(coalesce("I1", 0), 0)) AS i1,
    ln(4 + greatest(coalesce("I2", 0), -3)) AS i2,
    ln(1 + greatest(coalesce("I3", 0), 0)) AS i3,
    ln(1 + least(coalesce("I4", 0), 500)) AS i4,
    ln(1 + least(coalesce("I5", 0), 1000000)) AS i5,
    ln(1 + least(coalesce("I6", 0), 100000)) AS i6,
    ln(1 + coalesce("I7", 0)) AS i7,
    ln(1 + coalesce("I8", 0)) AS i8,
    ln(1 + coalesce("I9", 0)) AS i9,
    coalesce("I10", 0) AS i10,
    coalesce("I11", 0) AS i11,
    coalesce("I12", 0) AS i12,
    CASE WHEN "I13" > 10 THEN 1 ELSE 0 END AS i13
FROM criteo
