COPY (
    WITH popular AS (
        SELECT item_id, any_value(embedding) AS centre, count(*) AS seen
        FROM '{folder}/events.parquet'
        WHERE event_type = 'purchase'
        GROUP BY item_id
        ORDER BY seen DESC, item_id
        LIMIT 1
    )
    SELECT
        event_id,
        cosine_similarity(embedding, centre)                           AS like_best_seller,
        list_transform(recent_item_ids, id -> sigrid_hash(id, 7, 5000)) AS recent,
        len(recent_item_ids)                                           AS recent_count,
        list_contains(recent_item_ids, e.item_id)                      AS seen_before,
        log1p(price)                                                   AS price,
        CASE WHEN dwell_ms > 30000 THEN 'long' WHEN dwell_ms > 0 THEN 'short' ELSE 'none' END AS dwell,
        tokenize(query, 'cl100k_base')                                 AS tokens
    FROM '{folder}/events.parquet' e, popular
) TO '{folder}/behaviour.parquet';
