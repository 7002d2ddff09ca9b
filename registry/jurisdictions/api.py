"""API: jurisdictions, sales by year, affiliations, retail programs."""

from rest_framework import serializers

from moc.rest.resources import Resource
from moc.rest.serializers import Flat, slug_of
from registry.jurisdictions.filters import DatedFilterSet, OfUtilityFilterSet, RetailProgramFilterSet
from registry.jurisdictions.models import Affiliation, AnnualSales, Jurisdiction, RetailProgram


class Dated(Flat):
    """A record of some days, half open."""

    edc = slug_of("edc", "the utility's slug")
    valid_from = serializers.DateField(source="valid_during.startswith", allow_null=True)
    valid_until = serializers.DateField(source="valid_during.endswith", allow_null=True, help_text="the first day without it")


class JurisdictionSerializer(Dated):
    rerra = slug_of("rerra", "the regulator's slug")
    county_fips = serializers.CharField(source="county_id")

    class Meta:
        model = Jurisdiction
        fields = ["id", "rerra", "edc", "county_fips", "valid_from", "valid_until"]


class Jurisdictions(Resource):
    """Which regulator governs which utility in which county."""

    model = Jurisdiction
    serializer_class = JurisdictionSerializer
    filterset_class = DatedFilterSet
    lookup_field, lookup_value_converter = "pk", "int"


class AnnualSalesSerializer(Flat):
    edc = slug_of("edc", "the utility's slug")

    class Meta:
        model = AnnualSales
        fields = ["id", "edc", "year", "sales_mwh", "source"]


class SalesByYear(Resource):
    """What utilities distributed, by fiscal year."""

    model = AnnualSales
    serializer_class = AnnualSalesSerializer
    filterset_class = OfUtilityFilterSet
    lookup_field, lookup_value_converter = "pk", "int"


class RetailProgramSerializer(Dated):
    class Meta:
        model = RetailProgram
        fields = ["id", "edc", "code", "name", "status", "kind", "pays_for", "bars_wholesale", "tariff", "valid_from", "valid_until"]


class RetailPrograms(Resource):
    """Tariffs and retail programs of utilities with their terms."""

    model = RetailProgram
    serializer_class = RetailProgramSerializer
    filterset_class = RetailProgramFilterSet
    lookup_field, lookup_value_converter = "pk", "int"


class AffiliationSerializer(Dated):
    aggregator = slug_of("aggregator", "the aggregator's slug")

    class Meta:
        model = Affiliation
        fields = ["id", "aggregator", "edc", "source", "valid_from", "valid_until"]


class Affiliations(Resource):
    """Aggregators that are affiliates of a utility."""

    model = Affiliation
    serializer_class = AffiliationSerializer
    filterset_class = DatedFilterSet
    lookup_field, lookup_value_converter = "pk", "int"
