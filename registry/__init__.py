"""Who and what exists (DOE Table 1): participants, the grid, DERs, and how they are filed and reviewed."""
