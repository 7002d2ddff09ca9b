"""Filters of jurisdictions and retail programs."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet, ValidOnFilter
from registry.jurisdictions.models import RetailProgram


class OfUtilityFilterSet(ScopedFilterSet):
    """By utility."""

    party_filters = {"edc": "edc"}

    edc = PartyFilter(field_name="edc_id", label="Utility")


class DatedFilterSet(OfUtilityFilterSet):
    """By utility and day."""

    on = ValidOnFilter("In force on")


class RetailProgramFilterSet(DatedFilterSet):
    """Programs by utility, kind, code and day."""

    kind = django_filters.ChoiceFilter(choices=RetailProgram.Kind.choices, label="Kind")
    code = django_filters.CharFilter(field_name="code", label="Code")
