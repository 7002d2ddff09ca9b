"""What was earned, disputed and reported."""
