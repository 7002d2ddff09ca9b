"""DERs: the master record. R1, R2, R3, N1."""
