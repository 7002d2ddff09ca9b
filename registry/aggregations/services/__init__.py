"""Verbs of aggregations."""
