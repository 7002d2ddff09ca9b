"""What was promised and dispatched (DOE Table 2)."""
