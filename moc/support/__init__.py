"""Support access: an organisation lets the operator's staff see or act for it, for a while, and reads what they did. N3."""
