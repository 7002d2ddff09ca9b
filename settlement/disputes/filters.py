"""Filters of disputes, for the portal and the API; and of the records of a bundle."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet
from settlement.disputes.models import BundleItem, Dispute

SHOWN = (("all", "All"), *Dispute.Status.choices)


class DisputeFilterSet(ScopedFilterSet):
    """Disputes by status, level, outcome and parties; without a status those that stand."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}

    status = django_filters.ChoiceFilter(choices=SHOWN, method="by_status", label="Status", empty_label="Not closed")
    level = django_filters.ChoiceFilter(choices=Dispute.Level.choices, label="Level")
    outcome = django_filters.ChoiceFilter(choices=Dispute.Outcome.choices, label="Outcome")
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")

    def by_status(self, rows, name: str, value: str):
        return rows if value == "all" else rows.filter(status=value)


class BundleFilterSet(ScopedFilterSet):
    """Records of a bundle by kind."""

    kind = django_filters.ChoiceFilter(choices=BundleItem.Kind.choices, label="Kind")
