"""Verbs of grid records."""
