"""Reference data from public files."""
