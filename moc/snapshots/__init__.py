"""Snapshots: the whole registry as it was recorded at an instant, as files, with the seal that covers every row. N4, N11."""
