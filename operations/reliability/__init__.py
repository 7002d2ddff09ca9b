"""Reliability: each DER against its envelope, its telemetry and IEEE 1547, as findings with evidence that are answered and closed. O2."""
