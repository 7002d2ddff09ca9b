"""The scene of the contracts: a world with objects between its parties, and a client for everybody."""

from tests.contracts.doors import cheap, scene

__all__ = ["cheap", "scene"]
