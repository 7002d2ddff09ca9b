"""Rules of qualification: conditions by service on DERs and on what aggregations offer, their numbers from rule sets."""

from registry.prequalification.rules import ders, offers
from registry.prequalification.rules.base import DERS, OFFERS, Test

__all__ = ["DERS", "OFFERS", "Test", "ders", "offers"]
