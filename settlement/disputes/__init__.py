"""Disputes over a utility's decisions: between the parties, before the RTO, before the regulator. N4, N11; Order 2222 ¶299."""
