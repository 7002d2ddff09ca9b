-- Owners none of whose DERs is registered any more, each with the day of the last change that took one from them.
-- Called by registry.administration.services.anonymising.mark.
WITH idle AS (
    SELECT o.id FROM registry_derowner AS o
    WHERE o.erased_at IS NULL AND o.idle_since IS NULL
        AND NOT EXISTS (SELECT FROM registry_der AS d WHERE d.owner_id = o.id AND d.status <> 'decommissioned')
), ended AS (
    SELECT h.owner_id, max(coalesce(n.history_date, h.history_date)) AS at
    FROM idle AS i
    JOIN registry_historicalder AS h ON h.owner_id = i.id
    LEFT JOIN LATERAL (
        SELECT later.history_date FROM registry_historicalder AS later
        WHERE later.id = h.id AND (later.history_date, later.history_id) > (h.history_date, h.history_id)
        ORDER BY later.history_date, later.history_id LIMIT 1
    ) AS n ON true
    GROUP BY h.owner_id
)
UPDATE registry_derowner AS o SET idle_since = coalesce((e.at AT TIME ZONE %(zone)s)::date, %(today)s)
FROM idle AS i
LEFT JOIN ended AS e ON e.owner_id = i.id
WHERE o.id = i.id
