"""Filters of aggregations and members, for the portal and the API."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet, ValidOnFilter
from registry.aggregations.choices import Purpose
from registry.aggregations.models import Aggregation
from registry.catalogue.models import GridService
from registry.ders.choices import DerType, technologies


def services() -> list[tuple[str, str]]:
    return list(GridService.objects.in_force().values_list("code", "name"))


class AggregationFilterSet(ScopedFilterSet):
    """Aggregations by name, purpose, status, service and party."""

    party_filters = {"aggregator": "aggregator", "tso": "tso"}
    choice_filters = {"service": services}

    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Search", help_text="part of the name")
    purpose = django_filters.ChoiceFilter(choices=Purpose.choices, label="Purpose")
    status = django_filters.ChoiceFilter(choices=Aggregation.Status.choices, label="Status")
    service = django_filters.ChoiceFilter(field_name="services", method="seeking", choices=[], label="Service sought")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")
    tso = PartyFilter(field_name="tso_id", label="RTO")

    def seeking(self, rows, name: str, value: str):
        return rows.filter(services__contains=[value])


class MemberFilterSet(ScopedFilterSet):
    """Members by service, utility, technology and day."""

    party_filters = {"edc": "edc"}
    choice_filters = {"service": services, "der_type": technologies}

    der = django_filters.CharFilter(field_name="der__external_id", label="DER", help_text="the aggregator's own id")
    service = django_filters.ChoiceFilter(field_name="service_id", choices=[], label="Service")
    edc = PartyFilter(field_name="edc_id", label="Utility")
    der_type = django_filters.ChoiceFilter(field_name="der__der_type", choices=DerType.choices, label="Technology")
    on = ValidOnFilter("Member on")
