"""Codes of aggregations."""

from django.db import models


class Purpose(models.TextChoices):
    """For whom an aggregation works; the same members may serve both without registering again."""

    WHOLESALE = "wholesale", "Wholesale market"
    DISTRIBUTION = "distribution", "Distribution only"
    BOTH = "both", "Wholesale and distribution"
