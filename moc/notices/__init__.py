"""Notices to people: inbox and outgoing e-mail. N10."""
