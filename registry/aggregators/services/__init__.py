"""The verbs of an aggregator's registration, and of who may keep it from filing."""
