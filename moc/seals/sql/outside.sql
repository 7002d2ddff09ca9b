-- Rows of a sealed period that stand in no block.
-- Called by moc.seals.canon.outside, when a table holds more rows than were sealed.
SELECT source.{key}
FROM {table} AS source
WHERE (source.transaction_id IS NULL OR source.transaction_id < %(before)s)
    AND NOT EXISTS (
        SELECT FROM moc_seal AS seal
        CROSS JOIN LATERAL (
            SELECT block.last FROM moc_sealedblock AS block
            WHERE block.seal_id = seal.number AND block."table" = %(table)s AND block.first <= source.{key}
            ORDER BY block.first DESC LIMIT 1
        ) AS nearest
        WHERE source.transaction_id >= seal.since AND source.transaction_id < seal.before AND nearest.last >= source.{key}
    )
ORDER BY source.{key}
LIMIT %(limit)s
