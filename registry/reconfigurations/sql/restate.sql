-- Aggregations whose members came to another node state their response anew (Order 2222 ¶310, ¶338).
-- Called by registry.reconfigurations.services.acts.carry_out.
UPDATE registry_aggregation SET restate_since = %(today)s
WHERE id = ANY(%(aggregations)s) AND stated_on IS NOT NULL AND restate_since IS NULL
