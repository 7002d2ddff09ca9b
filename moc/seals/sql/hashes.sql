-- Hash the rows of one table and one period, block by block: each row's text is made once and hashed by row and by column.
-- Called by moc.seals.canon.write_blocks, which says where the hashes go and cuts the blocks, and by read_blocks (blocks as they were cut).
{into}
SELECT
    part.number,
    part.first,
    part.last,
    coalesce(made.keys, ''::bytea) AS keys,
    coalesce(made.leaves, ''::bytea) AS leaves,
    coalesce(made.fields, ''::bytea) AS fields,
    sha256('\x02'::bytea || sha256(coalesce(made.fields, ''::bytea)) || coalesce(made.leaves, ''::bytea)) AS hash,
    %(seal)s,
    %(table)s
FROM ({parts}) AS part
CROSS JOIN LATERAL (
    SELECT
        string_agg(int8send(line.k), ''::bytea) AS keys,
        string_agg(sha256(convert_to(ROW({names})::text, 'UTF8')), ''::bytea) AS leaves,
        {by_column} AS fields
    FROM (
        SELECT source.{key} AS k, {texts}
        FROM {table} AS source
        WHERE source.{key} BETWEEN part.first AND part.last
            AND source.transaction_id >= %(since)s AND source.transaction_id < %(before)s
        ORDER BY source.{key}
        OFFSET 0  -- stays a subquery: the aggregates take its rows in this order
    ) AS line
) AS made
