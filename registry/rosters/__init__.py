"""Utilities' programme rosters by account, matched with the registry: who is paid twice. R6."""
