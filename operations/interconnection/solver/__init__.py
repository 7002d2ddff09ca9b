"""The year, the settings and the limits of new resources on a feeder. Knows neither Django nor the database."""
