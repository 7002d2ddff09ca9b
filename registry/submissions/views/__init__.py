"""Pages of filing (the aggregator's) and of reviewing (the utility's)."""
