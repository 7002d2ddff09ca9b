-- How many items a dispute's bundle has, and the hash over the hashes of what they hold today, in their order.
-- Called by settlement.disputes.services.bundles.assemble, and by is_intact.
SELECT count(*), encode(sha256(convert_to(coalesce(string_agg(encode(sha256(convert_to(i.content, 'UTF8')), 'hex'), '' ORDER BY i.id), ''), 'UTF8')), 'hex')
FROM settlement_bundleitem AS i
WHERE i.dispute_id = %(dispute)s
