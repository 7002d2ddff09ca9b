"""How utilities share the room of their feeders: envelope policies, kept by who manages the grid. O4."""
