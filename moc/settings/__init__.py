"""Settings: base (development and evaluation), test, production (only hardens)."""
