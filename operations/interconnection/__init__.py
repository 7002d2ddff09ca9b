"""Flexible interconnection: what a new DER may do at a point over a year, what a submission may do jointly, what every node can host."""
