"""The figures of each return."""
