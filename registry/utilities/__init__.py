"""What each utility sets for itself: review rules, practice, letters, how long its working data is kept. R6, N11, N13."""
