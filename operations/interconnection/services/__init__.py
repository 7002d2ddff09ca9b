"""Order, compute and adopt studies; screen what is under review; keep what every node can host; hold settings against their read-back."""
