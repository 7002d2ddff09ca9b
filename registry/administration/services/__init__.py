"""Verbs of a utility's administrators."""
