"""Filters of differences between registry and rosters."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet
from registry.rosters.rules import ABSENT, UNDECLARED


class RosterFindingFilterSet(ScopedFilterSet):
    """By utility, programme and kind of difference."""

    party_filters = {"edc": "edc"}

    edc = PartyFilter(field_name="edc_id", label="Utility")
    program = django_filters.CharFilter(field_name="program", label="Programme")
    code = django_filters.ChoiceFilter(choices=[(rule.code, rule.sentence) for rule in (UNDECLARED, ABSENT)], label="Difference")
