-- What this pass can see, and the oldest transaction that was still open: versions below it need not be looked at again.
-- Called by registry.prequalification.services.passes.pull.
-- The pass's own transaction counts among the open ones, although it sees itself: what it writes after the pass is looked at by the next.
SELECT
    concat_ws(
        ':', least(pg_snapshot_xmin(n.seen), n.own), pg_snapshot_xmax(n.seen),
        (
            SELECT coalesce(string_agg(o.id::text, ',' ORDER BY o.id), '')
            FROM (SELECT pg_snapshot_xip(n.seen) UNION SELECT n.own) AS o (id)
            WHERE o.id < pg_snapshot_xmax(n.seen)
        )
    ),
    least(pg_snapshot_xmin(n.seen), n.own)::text::bigint
FROM (SELECT pg_current_snapshot() AS seen, pg_current_xact_id() AS own) AS n
