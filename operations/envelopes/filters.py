"""Filters of envelopes, for the portal and the API."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet
from operations.envelopes.models import EnvelopeReceipt, EnvelopeRun
from registry.aggregations.models import AggregationMember


class RunFilterSet(ScopedFilterSet):
    """Runs by feeder, status and utility."""

    party_filters = {"edc": "edc"}

    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", help_text="the utility's code")
    status = django_filters.ChoiceFilter(label="Status", choices=EnvelopeRun.Status.choices)
    edc = PartyFilter(field_name="edc_id", label="Utility")


class PointFilterSet(ScopedFilterSet):
    """DERs' envelopes by feeder, DER, aggregation and utility."""

    party_filters = {"edc": "edc"}

    der = django_filters.UUIDFilter(field_name="der__uuid", label="DER id")
    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", help_text="the utility's code")
    aggregation = django_filters.UUIDFilter(method="of_aggregation", label="Aggregation id")
    edc = PartyFilter(field_name="edc_id", label="Utility")

    def of_aggregation(self, rows, name, value):
        """DERs that are members of an aggregation."""
        return rows.filter(der__in=AggregationMember.objects.filter(aggregation__uuid=value).values("der"))


class ReceiptFilterSet(ScopedFilterSet):
    """Receipts by feeder and status."""

    feeder = django_filters.CharFilter(field_name="feeder_code", label="Feeder", help_text="the utility's code")
    status = django_filters.ChoiceFilter(label="Status", choices=EnvelopeReceipt.Status.choices)
