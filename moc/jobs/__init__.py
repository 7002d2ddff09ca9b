"""The truth of all background work; the broker only wakes a worker. N13."""
