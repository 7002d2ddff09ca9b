"""The verbs of a submission: filing (aggregator), staging (engine), reviewing (utility), deadlines (clock)."""
