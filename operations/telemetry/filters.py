"""Filters of states, for the portal and the API."""

import django_filters
from django.db.models import Q
from django.utils.text import capfirst

from moc.portal.filters import IdFilter, PartyFilter, ScopedFilterSet
from operations.telemetry.models import SUBJECTS, DerState, SubjectState
from registry.aggregations.models import AggregationMember
from registry.ders.choices import DerType
from registry.ders.filters import DerFilter


class StateFilterSet(ScopedFilterSet):
    """DERs' states by readiness, technology, feeder, DER, aggregation and party."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}

    readiness = django_filters.ChoiceFilter(label="Readiness", choices=DerState.Readiness.choices, method="of_readiness")
    der_type = django_filters.ChoiceFilter(field_name="der__der_type", label="Technology", choices=DerType.choices)
    feeder = django_filters.CharFilter(field_name="der__feeder__code", label="Feeder", help_text="the utility's code", max_length=40)
    der = DerFilter()
    aggregation = IdFilter(method="of_aggregation", label="Aggregation")
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")

    def of_readiness(self, rows, name, value):
        """Heard of and delivering, heard of and not, or not heard of."""
        return rows.with_readiness(value)

    def of_aggregation(self, rows, name, value):
        """DERs that are members of an aggregation."""
        return rows.filter(der__in=AggregationMember.objects.filter(aggregation__uuid=value).values("der"))


KINDS = [(name, capfirst(SubjectState._meta.get_field(name).verbose_name)) for name in SUBJECTS]


class SubjectStateFilterSet(ScopedFilterSet):
    """Subjects' states by kind, code or name, and party."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}

    kind = django_filters.ChoiceFilter(label="Kind", choices=KINDS, method="of_kind")
    stale = django_filters.BooleanFilter(label="Not heard of", method="of_staleness")
    code = django_filters.CharFilter(label="Code or name", max_length=120, method="of_code")
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")

    def of_kind(self, rows, name, value):
        """Aggregations, feeders, transformers or T-D interfaces."""
        return rows.filter(**{f"{value}__isnull": False})

    def of_staleness(self, rows, name, value):
        """What was not heard of for too long, or what was."""
        return rows.stale(value)

    def of_code(self, rows, name, value):
        """The subject with this code; an aggregation by its name."""
        condition = Q(aggregation__name__iexact=value)
        for field in ("feeder", "transformer", "td_interface"):
            condition |= Q(**{f"{field}__code__iexact": value})
        return rows.filter(condition)


class CheckFilterSet(ScopedFilterSet):
    """Checks by day, kind of subject, what was wanting, and party."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}

    day = django_filters.DateFilter(label="Day")
    kind = django_filters.ChoiceFilter(label="Of", choices=[("ders", "DERs"), ("aggregations", "Aggregations")], method="of_kind")
    wanting = django_filters.BooleanFilter(label="Something wanting", method="of_wanting")
    der = DerFilter()
    aggregation = IdFilter(field_name="aggregation__uuid", label="Aggregation")
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")

    def of_kind(self, rows, name, value):
        """Of DERs, or of aggregations."""
        return rows.of_aggregations(value == "aggregations")

    def of_wanting(self, rows, name, value):
        """Where something was missing, late, incomplete or differing."""
        return rows.wanting(value)
