WITH big AS (SELECT user_id, amount FROM orders WHERE amount > 500) SELECT a.user_id FROM big a JOIN big b ON a.user_id = b.user_id
