-- One row as the text that was hashed.
-- Called by moc.seals.canon.row_text, for a proof.
SELECT ROW({names})::text FROM (SELECT {texts} FROM {table} AS source WHERE source.{key} = %(key)s OFFSET 0) AS line
