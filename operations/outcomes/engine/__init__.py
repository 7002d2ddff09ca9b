"""Readings against limits as arrays: knows neither Django nor the database."""
