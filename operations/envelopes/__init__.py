"""Operating envelopes: what each point may import and export in each interval, why, and what became of it. O4."""
