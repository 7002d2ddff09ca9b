"""Taking in readings: decoded, then judged and stored as a set."""
