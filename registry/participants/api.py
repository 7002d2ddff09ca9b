"""API: organisations within reach, and the utilities of the registry."""

from rest_framework import serializers

from moc.access.models import Organization
from moc.portal.paging import Sort
from moc.rest.resources import Resource
from moc.rest.serializers import Flat, slug_of
from registry.participants.models import UtilityProfile


class OrganizationSerializer(Flat):
    class Meta:
        model = Organization
        fields = ["slug", "kind", "name", "legal_name", "is_active"]


class Organizations(Resource):
    """Organisations that you belong to or oversee."""

    model = Organization
    serializer_class = OrganizationSerializer
    sorts = (Sort("slug", ("slug",)),)
    lookup_field, lookup_value_converter = "slug", "slug"


class UtilitySerializer(Flat):
    id = slug_of("edc", "the utility's slug")
    name = serializers.CharField(source="edc.name")
    tso = slug_of("tso", "the transmission operator's slug", allow_null=True)

    class Meta:
        model = UtilityProfile
        fields = ["id", "eia_id", "name", "ownership", "nerc_region", "balancing_authority", "tso", "annual_mwh", "annual_mwh_year"]


class Utilities(Resource):
    """Distribution utilities that take part in the registry, by EIA id: whom a filing can name in utility_id_eia."""

    model = UtilityProfile
    serializer_class = UtilitySerializer
    sorts = (Sort("eia_id", ("eia_id",)),)
    lookup_field, lookup_value_converter = "eia_id", "int"
