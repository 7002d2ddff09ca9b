"""The allocation of a feeder's room to its active points: numpy, SciPy and HiGHS only, no database, no Django."""
