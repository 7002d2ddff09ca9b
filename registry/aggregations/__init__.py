"""Aggregations: DERs that one aggregator offers together, their members over time, their agents and limits. R4."""
