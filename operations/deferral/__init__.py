"""Transformer deferral: forecast overload, EV charging curtailed first, the alarm's life, and what deferring a replacement is worth. O4."""
