"""Pages of public reference data about utilities."""
