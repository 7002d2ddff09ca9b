"""Who buys grid services, and those that are shipped."""

from django.db import models


class Level(models.TextChoices):
    """Who buys a grid service."""

    WHOLESALE = "wholesale", "Wholesale market"
    DISTRIBUTION = "distribution", "Distribution utility"


# (code, name, level): what `load_services` adds; more are added in the workplace
SERVICES = (
    ("energy", "Energy", Level.WHOLESALE),
    ("capacity", "Capacity", Level.WHOLESALE),
    ("regulation", "Regulation", Level.WHOLESALE),
    ("spinning_reserve", "Spinning reserve", Level.WHOLESALE),
    ("non_spinning_reserve", "Non-spinning reserve", Level.WHOLESALE),
    ("demand_response", "Demand response", Level.WHOLESALE),
    ("peak_reduction", "Reduction of the distribution peak", Level.DISTRIBUTION),
    ("deferral", "Deferral of a distribution investment", Level.DISTRIBUTION),
    ("voltage_support", "Voltage support", Level.DISTRIBUTION),
)
