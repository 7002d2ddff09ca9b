"""API: the law's numbers, read only."""

import django_filters
from rest_framework import serializers

from moc.portal.filters import ScopedFilterSet
from moc.rest.resources import Resource
from moc.rest.serializers import Flat
from moc.rulesets.models import RuleSet


class RuleSetSerializer(Flat):
    valid_from = serializers.DateField(source="valid_during.startswith", allow_null=True)
    valid_until = serializers.DateField(
        source="valid_during.endswith", allow_null=True, help_text="the first day on which it is not in force"
    )

    class Meta:
        model = RuleSet
        fields = ["id", "key", "authority", "value", "unit", "valid_from", "valid_until", "source", "verified"]


class RuleSetFilterSet(ScopedFilterSet):
    """Rows by key and authority, and those in force on a day."""

    key = django_filters.CharFilter(label="Key")
    authority = django_filters.CharFilter(label="Authority")
    on = django_filters.DateFilter(field_name="valid_during", lookup_expr="contains", label="In force on")
    verified = django_filters.BooleanFilter(label="Checked against the tariff")


class RuleSets(Resource):
    """Effective-dated numbers and switches of the law, each with its source."""

    model = RuleSet
    serializer_class = RuleSetSerializer
    filterset_class = RuleSetFilterSet
    lookup_field, lookup_value_converter = "pk", "int"
