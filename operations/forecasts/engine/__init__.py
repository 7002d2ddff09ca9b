"""What a forecast is computed with: the blend of days, its back-test, and blocks of bytes. Knows neither Django nor the database."""
