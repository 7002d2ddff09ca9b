-- The DERs that a decision changed, as they were before and after it, grouped by what the log tells: (after, facts…, DERs, nameplate kW).
-- Called by operations.outages.services.registered.decisions.
-- What a decision changed are the versions that its transaction wrote from its beginning on, of the DERs in its rows; a DER that a row
-- registers is found by the aggregator's id. What was before is each DER's last version by then.
WITH written AS (
    SELECT DISTINCT ON (id) * FROM registry_historicalder
    WHERE transaction_id = %(transaction)s AND history_date >= %(since)s
    ORDER BY id, history_date DESC, history_id DESC
), decided AS (
    SELECT der_id, aggregator_id, external_id FROM registry_stagedder
    WHERE submission_id = %(submission)s AND edc_id = %(edc)s AND decision_id = %(decision)s
), changed AS (
    SELECT w.* FROM written AS w JOIN decided AS d ON d.der_id = w.id
    UNION ALL
    SELECT w.* FROM written AS w JOIN decided AS d ON d.aggregator_id = w.aggregator_id AND d.external_id = w.external_id
    WHERE d.der_id IS NULL
), told AS (
    SELECT
        TRUE AS after, status, feeder_id, export_limit_kw, import_limit_kw, limits_by_time, inverter_settings, nameplate_ac_kw
    FROM changed
    UNION ALL
    SELECT
        FALSE, b.status, b.feeder_id, b.export_limit_kw, b.import_limit_kw, b.limits_by_time, b.inverter_settings, b.nameplate_ac_kw
    FROM changed AS c
    CROSS JOIN LATERAL (
        SELECT * FROM registry_historicalder AS h
        WHERE h.id = c.id AND h.history_date < %(since)s
        ORDER BY h.history_date DESC, h.history_id DESC
        LIMIT 1
    ) AS b
)
SELECT
    after, feeder_id, status, export_limit_kw, import_limit_kw, limits_by_time, inverter_settings, count(*),
    coalesce(sum(nameplate_ac_kw), 0)
FROM told
GROUP BY after, feeder_id, status, export_limit_kw, import_limit_kw, limits_by_time, inverter_settings
