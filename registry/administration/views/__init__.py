"""Pages of a utility's administrators."""
