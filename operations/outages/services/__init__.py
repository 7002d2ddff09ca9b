"""The verbs of outages: tell them, end them, and write the operational log."""
