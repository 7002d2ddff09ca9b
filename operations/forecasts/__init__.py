"""Meters' interval data, and forecasts of them: day ahead and intraday, summed to transformers and feeder, kept as published. O1, O4."""
