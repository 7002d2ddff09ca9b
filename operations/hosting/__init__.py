"""Hosting capacity: what every node of a feeder can still inject and draw, as a layer of its map and as an export."""
