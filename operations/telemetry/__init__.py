"""Readings of DERs as they come in, append-only and partitioned by time, and the readiness that the latest of them tell. M7, N9."""
