"""Network: the electrical model of each feeder, its versions and its power flow. O1."""
