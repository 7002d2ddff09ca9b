"""Filters of screens and of what they found."""

import django_filters

from moc.portal.filters import IdFilter, PartyFilter, ScopedFilterSet
from operations.screening.models import ReviewScreen, ScreenFinding


class ScreenFilterSet(ScopedFilterSet):
    """Screens by review, status, feeder and utility."""

    party_filters = {"edc": "edc"}

    review = IdFilter(field_name="review__uuid", label="Review")
    status = django_filters.ChoiceFilter(choices=ReviewScreen.Status.choices, label="Status")
    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", max_length=40)
    edc = PartyFilter(field_name="edc_id", label="Utility")


class FindingFilterSet(ScopedFilterSet):
    """Findings by review, screen, direction and parties."""

    party_filters = {"aggregator": "aggregator", "edc": "edc"}

    review = IdFilter(field_name="review__uuid", label="Review")
    screen = IdFilter(field_name="screen__uuid", label="Screen")
    direction = django_filters.ChoiceFilter(choices=ScreenFinding.Direction.choices, label="Direction")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")
    edc = PartyFilter(field_name="edc_id", label="Utility")
