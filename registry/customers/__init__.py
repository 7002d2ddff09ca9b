"""Owners as users: their own page, consents, personal use of their DERs. R5, N12."""
