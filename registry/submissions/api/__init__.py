"""API of filing and reviewing."""
