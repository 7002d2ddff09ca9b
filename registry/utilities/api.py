"""API: what utilities ask of filings, for programs that prepare them."""

import django_filters
from rest_framework import serializers

from moc.portal.filters import ScopedFilterSet
from moc.rest.resources import Resource
from moc.rest.serializers import Flat, slug_of
from registry.utilities.models import ReviewRule


class ReviewRuleSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    edc = slug_of("edc", "the utility's slug")
    valid_from = serializers.DateField(source="valid_during.startswith", allow_null=True)
    valid_until = serializers.DateField(
        source="valid_during.endswith", allow_null=True, help_text="the first day on which it is not in force"
    )

    class Meta:
        model = ReviewRule
        fields = [
            *("id", "edc", "field", "kind", "number", "codes", "technologies", "from_kw"),
            *("severity", "remedy", "valid_from", "valid_until"),
        ]


class ReviewRuleFilterSet(ScopedFilterSet):
    """Rules by utility's slug, and those in force on a day."""

    edc = django_filters.CharFilter(field_name="edc__slug", label="Utility", help_text="the utility's slug")
    on = django_filters.DateFilter(field_name="valid_during", lookup_expr="contains", label="In force on")


class ReviewRules(Resource):
    """Utilities' own review rules: what filings must fulfil beyond the registry's rules."""

    model = ReviewRule
    serializer_class = ReviewRuleSerializer
    filterset_class = ReviewRuleFilterSet
