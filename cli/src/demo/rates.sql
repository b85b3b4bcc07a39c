SELECT i4_bucket, count(*) AS rows, round(avg(label), 4) AS click_rate, round(avg(i2), 3) AS i2
FROM '{folder}/training.parquet'
GROUP BY i4_bucket
ORDER BY i4_bucket;
