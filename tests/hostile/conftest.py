"""A hostile reader's afternoon: the scene of the access matrix, and what an attacker plants in it."""

from tests.contracts.doors import cheap, scene

__all__ = ["cheap", "scene"]
