"""Participants: aggregators, owners, utilities, regulators and market operators. R5, R6."""
