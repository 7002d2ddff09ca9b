"""The power flow of a feeder on neutral arrays: numpy, SciPy and numba only, no database, no Django."""
