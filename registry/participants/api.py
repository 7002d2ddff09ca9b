"""API: organisations within reach, and the utilities of the registry."""

from rest_framework import serializers
from rest_framework.response import Response

from moc.access import presence
from moc.access.models import Organization
from moc.portal.paging import Sort
from moc.rest.resources import Resource
from moc.rest.serializers import Flat, example, slug_of
from moc.vault.models import SealedFacts
from registry.participants import services
from registry.participants.models import UtilityProfile
from registry.participants.services import REVEALING


class OwnerSerializer(serializers.Serializer):
    """The personal columns of an owner: masked (dots for a value, "erased"), or in full where they were asked for with a purpose."""

    edc_account_no = serializers.CharField(allow_blank=True)
    owner_name = serializers.CharField(allow_blank=True)
    owner_email = serializers.CharField(allow_blank=True)
    owner_phone = serializers.CharField(allow_blank=True)


@example({"purpose": "account", "note": "Case 1042"})
class Purpose(serializers.Serializer):
    """What personal data are needed for; it stands in the access log."""

    purpose = serializers.ChoiceField(choices=[(purpose.value, purpose.label) for purpose in REVEALING])
    note = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


def revealed(request, record: SealedFacts) -> Response:
    """An owner in full, kept by nobody on the way. A person at a browser has shown lately who they are."""
    presence.demand(request)
    body = Purpose(data=request.data)
    body.is_valid(raise_exception=True)
    said = body.validated_data
    found = services.reveal(actor=request.user, record=record, purpose=said["purpose"], text=said["note"])
    return Response(found, headers={"Cache-Control": "no-store"})


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
