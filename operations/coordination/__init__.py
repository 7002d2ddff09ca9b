"""T-D coordination: each interface with flow, limits and what is behind it; how much of it can be delivered. O1, O4."""
