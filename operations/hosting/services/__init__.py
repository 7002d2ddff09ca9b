"""Order and compute maps of hosting capacity."""
