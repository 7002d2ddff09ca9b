"""Envelopes of groups: what the members of an aggregation, feeder, transformer or service point may import and export together. O4."""
