-- Until the transaction ends, no tenure of these aggregators is switched: decisions on their filings hold shared, a switch holds alone.
-- Called by registry.ders.services.tenures.hold.
SELECT {lock}(20260, organization::integer) FROM unnest(%(aggregators)s::bigint[]) AS organization ORDER BY organization
