-- Rows of one table become items of a dispute's bundle: canonical JSON (keys in order, no spaces but PostgreSQL's own), and its hash.
-- Called by settlement.disputes.services.bundles.assemble, once for each source.
INSERT INTO settlement_bundleitem (dispute_id, kind, source, source_key, audience, stood_at, content, sha256)
SELECT %(dispute)s, %(kind)s, %(source)s, s.source_key, %(audience)s, s.stood_at, s.content, encode(sha256(convert_to(s.content, 'UTF8')), 'hex')
FROM (
    SELECT t.{key} AS source_key, {stood} AS stood_at, (to_jsonb(t) - %(left_out)s::text[])::text AS content
    FROM {table} AS t
    WHERE t.{key} = ANY(%(keys)s::bigint[])
) AS s
ORDER BY s.source_key
