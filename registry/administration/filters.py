"""Filters of what utilities set."""

from moc.portal.filters import PartyFilter, ScopedFilterSet, ValidOnFilter


class RuleFilterSet(ScopedFilterSet):
    """Review rules by utility and day."""

    party_filters = {"edc": "edc"}

    edc = PartyFilter(field_name="edc_id", label="Utility")
    on = ValidOnFilter("In force on")
