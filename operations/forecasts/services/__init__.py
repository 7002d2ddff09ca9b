"""Meter data read and kept, and forecasts published."""
