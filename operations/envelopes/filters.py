"""Filters of envelopes, for the portal and the API."""

import django_filters

from moc.portal.filters import IdFilter, PartyFilter, ScopedFilterSet
from operations.envelopes.models import EnvelopeReceipt, EnvelopeRun
from registry.aggregations.models import AggregationMember
from registry.ders.filters import DerFilter


class RunFilterSet(ScopedFilterSet):
    """Runs by feeder, status and utility."""

    party_filters = {"edc": "edc"}

    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", help_text="the utility's code")
    status = django_filters.ChoiceFilter(label="Status", choices=EnvelopeRun.Status.choices)
    edc = PartyFilter(field_name="edc_id", label="Utility")


class PointFilterSet(ScopedFilterSet):
    """DERs' envelopes by place, DER, aggregation and utility; or those that a set changed."""

    party_filters = {"edc": "edc"}

    der = DerFilter()
    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", help_text="the utility's code")
    transformer = django_filters.CharFilter(
        field_name="der__service_point__transformer__code", label="Transformer", help_text="the utility's code"
    )
    service_point = django_filters.CharFilter(
        field_name="der__service_point__usage_point_id", label="Service point", help_text="the utility's id of the usage point"
    )
    aggregation = IdFilter(method="of_aggregation", label="Aggregation")
    receipt = IdFilter(method="of_receipt", label="Changed by a set", help_text="the id of its receipt, or the address of its page")
    edc = PartyFilter(field_name="edc_id", label="Utility")

    def of_receipt(self, rows, name, value):
        """DERs whose limits a set changed."""
        changed = EnvelopeReceipt.objects.filter(uuid=value).values_list("ders", flat=True).first()
        return rows.filter(der__in=changed or [])

    def of_aggregation(self, rows, name, value):
        """DERs that are members of an aggregation."""
        return rows.filter(der__in=AggregationMember.objects.filter(aggregation__uuid=value).values("der"))


class ReceiptFilterSet(ScopedFilterSet):
    """Receipts by feeder and status."""

    feeder = django_filters.CharFilter(field_name="feeder_code", label="Feeder", help_text="the utility's code")
    status = django_filters.ChoiceFilter(label="Status", choices=EnvelopeReceipt.Status.choices)
