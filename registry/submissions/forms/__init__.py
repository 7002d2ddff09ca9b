"""Forms of filing and reviewing: shape only; what a value must satisfy is said by the rules."""
