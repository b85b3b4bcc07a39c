-- Each purchase with the popularity of its item.
SELECT e.event_id, e.user_id, e.price, p.views
FROM events e
JOIN (SELECT item_id, count(*) AS views FROM events WHERE event_type = 'view' GROUP BY item_id) p
    ON e.item_id = p.item_id
WHERE e.event_type = 'purchase'
