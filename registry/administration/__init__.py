"""Where a utility administers its own part: review rules, practice, letters, retention. N2, N3, N11, N13."""
