"""Outages and derates of DERs, grid events with whom they touch, and the operational log. M8, O3, O5."""
