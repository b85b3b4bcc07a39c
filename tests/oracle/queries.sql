-- Queries over the generated tables, one a paragraph, answered by both engines.
-- Sums of floats are rounded: the order of their additions is not specified.

-- Training table: fill, clip, log and hash by modulus.
SELECT label,
       ln(1 + greatest(coalesce("I1", 0), 0)) AS i1,
       ln(1 + least(greatest(coalesce("I2", 0), 0), 1000)) AS i2,
       coalesce("I3", -1) AS i3,
       coalesce("C1", '') AS c1,
       length(coalesce("C3", 'missing')) AS c3
FROM criteo ORDER BY ALL

SELECT label, count(*) AS rows, count("I1") AS present, avg("I1") AS mean, min("I2") AS low, max("I2") AS high
FROM criteo GROUP BY label ORDER BY label

SELECT "C9", "C20", count(*) AS n, sum(label) AS clicks, sum(label) / count(*) AS rate
FROM criteo GROUP BY ALL ORDER BY ALL

SELECT "C1", count(*) AS n FROM criteo GROUP BY "C1" HAVING count(*) > 5 ORDER BY n DESC, "C1" LIMIT 20

SELECT count(DISTINCT "C3") AS c3, count(DISTINCT "C4") AS c4, count(DISTINCT "I5") AS i5 FROM criteo

SELECT quantile_disc("I5", [0.1, 0.5, 0.9]) AS borders, median("I4") AS middle, mode("C17") AS common FROM criteo

SELECT sum(CASE WHEN "I1" IS NULL THEN 1 ELSE 0 END) AS i1, sum(("C22" IS NULL)::INTEGER) AS c22,
       count(*) FILTER (WHERE "I12" IS NULL AND label = 1) AS both
FROM criteo

SELECT least("I4" // 100, 5) AS bucket, count(*) AS n, round(avg(label), 9) AS rate
FROM criteo GROUP BY bucket ORDER BY bucket NULLS FIRST

SELECT a."C1", count(*) AS pairs FROM criteo a JOIN criteo b ON a."C1" = b."C1" AND a."C2" = b."C2"
WHERE a."I1" > 10 AND b."I1" < 3 GROUP BY a."C1" ORDER BY ALL

-- Events: sessions, users, items.
SELECT event_type, count(*) AS n, count(DISTINCT user_id) AS users, round(avg(price), 6) AS price, max(dwell_ms) AS dwell
FROM events GROUP BY event_type ORDER BY event_type

SELECT session_id, count(*) AS events, epoch_ms(max(ts)) - epoch_ms(min(ts)) AS length, list(event_type ORDER BY ts) AS path
FROM events GROUP BY session_id HAVING count(*) > 3 ORDER BY session_id LIMIT 100

SELECT user_id, count(*) AS n, sum(CASE WHEN event_type = 'purchase' THEN price ELSE 0 END) > 0 AS buyer
FROM events GROUP BY user_id ORDER BY n DESC, user_id LIMIT 50

SELECT date_trunc('hour', ts) AS hour, count(*) AS n, count(query) AS searches FROM events GROUP BY hour ORDER BY hour

SELECT word, count(*) AS n FROM (SELECT unnest(string_split(query, ' ')) AS word FROM events) GROUP BY word ORDER BY n DESC, word

SELECT category, count(*) AS n, count(DISTINCT item_id) AS items
FROM (SELECT item_id, unnest(category_ids) AS category FROM events)
GROUP BY category ORDER BY n DESC, category LIMIT 40

SELECT event_id, len(recent_item_ids) AS n, list_contains(recent_item_ids, item_id) AS again, recent_item_ids[1:3] AS first,
       list_transform(category_ids, c -> c % 10) AS digits, list_filter(recent_item_ids, i -> i > 100) AS large
FROM events WHERE event_id < 500 ORDER BY event_id

SELECT event_id, list_sum(category_ids) AS total, list_sort(recent_item_ids) AS sorted, list_sort(list_distinct(category_ids))[1] AS one
FROM events WHERE event_id % 10 = 0 ORDER BY event_id

SELECT country, device, count(*) AS n FROM events GROUP BY country, device ORDER BY ALL

SELECT coalesce(country, '??') AS country, string_agg(DISTINCT device, ',' ORDER BY device) AS devices
FROM events GROUP BY ALL ORDER BY ALL

SELECT e.event_id, e.item_id, p.n FROM events e
JOIN (SELECT item_id, count(*) AS n FROM events WHERE event_type = 'view' GROUP BY item_id) p ON e.item_id = p.item_id
WHERE e.event_type = 'purchase' ORDER BY e.event_id LIMIT 100

SELECT count(*) AS n FROM events a JOIN events b ON a.session_id = b.session_id AND a.ts < b.ts
WHERE a.event_type = 'click' AND b.event_type = 'purchase'

SELECT user_id FROM events WHERE event_type = 'purchase' EXCEPT SELECT user_id FROM events WHERE event_type = 'search'
ORDER BY user_id

SELECT user_id, item_id FROM events WHERE item_id IN (SELECT item_id FROM events WHERE event_type = 'purchase' AND price > 100)
ORDER BY ALL LIMIT 200

SELECT strftime(ts, '%Y-%m-%d %H') AS hour, dayofweek(ts) AS weekday, extract(minute FROM ts) // 10 AS tenth, count(*) AS n
FROM events GROUP BY ALL ORDER BY ALL

SELECT event_id, CASE WHEN price IS NULL THEN 'none' WHEN price < 2 THEN 'low' WHEN price < 50 THEN 'mid' ELSE 'high' END AS band,
       round(ln(1 + coalesce(price, 0)), 6) AS scaled, upper(left(device, 2)) || '-' || coalesce(country, '') AS tag
FROM events ORDER BY event_id DESC LIMIT 300

SELECT query, length(query) AS n, strlen(query) AS bytes, regexp_extract(query, '[a-z]+') AS word, query LIKE '%shoes%' AS shoes
FROM events WHERE query IS NOT NULL ORDER BY event_id LIMIT 200

SELECT min(ts), max(ts), min(price), max(price), count(*) FROM events WHERE ts >= TIMESTAMP '2024-01-01 00:05:00'

SELECT event_id, {'user': user_id, 'item': item_id} AS pair, [user_id, item_id] AS both FROM events ORDER BY event_id LIMIT 20

SELECT * FROM (SELECT event_type, device, count(*) AS n FROM events GROUP BY ALL) WHERE n > 10 ORDER BY ALL

WITH spend AS (SELECT user_id, round(sum(price), 2) AS total FROM events WHERE event_type = 'purchase' GROUP BY user_id)
SELECT count(*) AS buyers, max(total) AS most, (SELECT count(*) FROM spend WHERE total > 50) AS heavy FROM spend

-- Null, NaN and ties.
SELECT f, count(*) AS n, min(g) AS low FROM t GROUP BY f ORDER BY f NULLS FIRST LIMIT 60

SELECT id, f FROM t ORDER BY f DESC NULLS LAST, id LIMIT 80

SELECT id, s, k FROM t ORDER BY s NULLS FIRST, k DESC, id LIMIT 120 OFFSET 17

SELECT a.id, b.id FROM t a LEFT JOIN t b ON a.i = b.j AND b.id < 50 WHERE a.id < 100 ORDER BY ALL

SELECT k, small, sum(d) AS d, avg(d) AS mean, max(ts) AS latest, list(l ORDER BY id)[1:2] AS lists FROM t GROUP BY ALL ORDER BY ALL

SELECT bool_and(p), bool_or(p), bit_and(j), bit_or(small), sum(b), avg(b), count(DISTINCT s) FROM t

SELECT DISTINCT k, p FROM t ORDER BY ALL

SELECT id, TRY_CAST(s AS INTEGER) AS n, TRY(100 // j) AS q FROM t ORDER BY id

SELECT day, count(*) AS n FROM t WHERE day BETWEEN DATE '2024-01-01' AND DATE '2024-03-31' GROUP BY day ORDER BY day

SELECT id, l, list_sort(l) AS sorted, list_sum(l) AS total, list_position(l, NULL) AS hole FROM t WHERE l IS NOT NULL ORDER BY id LIMIT 60
