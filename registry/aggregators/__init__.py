"""Aggregators' registration: company, officers, certifications, memberships, agreement, suspension. R5."""
