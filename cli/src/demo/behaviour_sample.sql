SELECT * FROM '{folder}/behaviour.parquet' WHERE tokens IS NOT NULL OR like_best_seller > 0.9 LIMIT 5;
