"""Signing in, invitations, members and their roles, API tokens. N2."""
