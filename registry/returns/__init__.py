"""Returns: what agencies, markets and the law ask to be reported of the registry. N6."""
