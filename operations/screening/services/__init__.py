"""Order, compute and adopt screens of reviews."""
