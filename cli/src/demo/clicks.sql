COPY (
    SELECT
        label,
        log1p(least(greatest(coalesce("I1", 0), 0), 100))::FLOAT       AS i1,
        log1p(least(greatest(coalesce("I2", 0), 0), 1000))::FLOAT      AS i2,
        log1p(coalesce("I3", 0))::FLOAT                                AS i3,
        log1p(least(coalesce("I5", 0), 1000000))::FLOAT                AS i5,
        log1p(least(coalesce("I6", 0), 100000))::FLOAT                 AS i6,
        bucketize("I4", [0, 1, 2, 4, 8, 16, 32, 64, 128, 256])         AS i4_bucket,
        "I12" IS NULL                                                  AS i12_missing,
        hash_bucket("C1", 1000)                                        AS c1,
        hash_bucket("C3", 100000)                                      AS c3,
        hash_bucket("C4", 100000)                                      AS c4,
        hash_bucket("C1" || '&' || "C9", 10000)                        AS c1_c9
    FROM '{folder}/criteo.parquet'
) TO '{folder}/training.parquet';
