"""What the grid allows and what state things are in (DOE Table 3, M7, M8)."""
