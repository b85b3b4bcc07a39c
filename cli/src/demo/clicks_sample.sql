SELECT * FROM '{folder}/training.parquet' LIMIT 5;
