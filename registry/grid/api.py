"""API: counties, and a utility's service points and feeders."""

import django_filters
from rest_framework import serializers

from moc.portal.filters import PartyFilter, ScopedFilterSet
from moc.portal.paging import Sort
from moc.rest.resources import Resource
from moc.rest.serializers import Flat, slug_of
from registry.grid.models import County, Feeder, ServicePoint


class CountySerializer(Flat):
    class Meta:
        model = County
        fields = ["fips", "name", "state", "population"]


class CountyFilterSet(ScopedFilterSet):
    """Counties that a utility serves."""

    party_filters = {"edc": "edc"}

    edc = PartyFilter(field_name="territories__edc_id", label="Utility")


class Counties(Resource):
    """Counties by FIPS code."""

    model = County
    serializer_class = CountySerializer
    filterset_class = CountyFilterSet
    sorts = (Sort("fips", ("fips",)),)
    lookup_field, lookup_value_converter = "fips", "slug"


class FeederSerializer(Flat):
    edc = slug_of("edc", "the utility's slug")
    substation = serializers.CharField(source="substation.code")

    class Meta:
        model = Feeder
        fields = ["id", "code", "edc", "substation", "nominal_kv"]


class FeederFilterSet(ScopedFilterSet):
    """Feeders by utility and code."""

    party_filters = {"edc": "edc"}

    edc = PartyFilter(field_name="edc_id", label="Utility")
    code = django_filters.CharFilter(label="Code")


class Feeders(Resource):
    """Feeders of utilities within reach."""

    model = Feeder
    serializer_class = FeederSerializer
    filterset_class = FeederFilterSet
    lookup_field, lookup_value_converter = "pk", "int"


class ServicePointSerializer(Flat):
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code", allow_null=True)
    transformer = serializers.CharField(source="transformer.code", allow_null=True)
    county_fips = serializers.CharField(source="county_id", allow_null=True)

    class Meta:
        model = ServicePoint
        fields = (
            "id usage_point_id edc feeder transformer county_fips zip_code address latitude longitude phases_available nominal_voltage_v"
        ).split()


class ServicePointFilterSet(ScopedFilterSet):
    """Service points by utility, id and feeder."""

    party_filters = {"edc": "edc"}

    edc = PartyFilter(field_name="edc_id", label="Utility")
    usage_point_id = django_filters.CharFilter(label="Service point id")
    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", help_text="the utility's code")


class ServicePoints(Resource):
    """Service points (CIM UsagePoint) of utilities within reach."""

    model = ServicePoint
    serializer_class = ServicePointSerializer
    filterset_class = ServicePointFilterSet
    sorts = (Sort("usage_point_id", ("edc_id", "usage_point_id")),)
    lookup_field, lookup_value_converter = "pk", "int"
