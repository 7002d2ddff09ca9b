"""The law's numbers by authority and date, each with its source and whether it is verified. N13."""
