"""What became of published envelopes: who kept to each set while it was in force, and the energy that it held back. O4."""
