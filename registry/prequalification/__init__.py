"""Pre-qualification: which DER and which aggregation may sell which service, by whose rules, and what an RTO decides on it. R7, N13."""
