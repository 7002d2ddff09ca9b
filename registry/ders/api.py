"""API: the master record of DERs, now and as of any moment, and its versions."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.rest.letters import letter
from moc.rest.resources import Versioned
from moc.rest.serializers import Flat, slug_of
from registry.ders.dictionary import FIELDS
from registry.ders.filters import DerFilterSet
from registry.ders.models import Der
from registry.ders.views import LARGEST, NEWEST, Certificate
from registry.participants.api import OwnerSerializer, Purpose, revealed
from registry.participants.models import DerOwner
from registry.participants.services import masked

OWN = "id status aggregator edc feeder registered_on export_limit_kw import_limit_kw limits_by_time inverter_settings".split()


class DerSerializer(Flat):
    """What the registry adds, and the columns of a filing without the owner: a record can be corrected and filed again."""

    id = serializers.UUIDField(source="uuid", help_text="the DER's id (mRID)")
    aggregator = slug_of("aggregator")
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code", allow_null=True)
    utility_id_eia = serializers.IntegerField(source="edc.utility.eia_id")
    usage_point_id = serializers.CharField(source="service_point.usage_point_id")
    county_fips = serializers.CharField(source="county_id", allow_null=True)

    class Meta:
        model = Der
        fields = [*OWN, *(name for name, term in FIELDS.items() if not term.personal)]


class Ders(Versioned):
    """DERs within your reach; they change by filings (submissions). Personal columns are apart: `owner/`, for those who may see them."""

    model = Der
    serializer_class = DerSerializer
    filterset_class = DerFilterSet
    sorts = NEWEST + LARGEST
    letter = letter(Certificate, "The registration certificate of the DER, as PDF")

    @extend_schema(responses=OwnerSerializer, summary="The owner, masked (personal data)")
    @action(detail=True, keeps_versions=False)
    def owner(self, request, **kwargs) -> Response:
        return Response(masked(self._owner()))

    @extend_schema(request=Purpose, responses=OwnerSerializer, summary="The owner in full, for a purpose; the look is logged")
    @action(detail=True, methods=["post"], url_path="owner/reveal", url_name="owner-reveal", keeps_versions=False)
    def reveal(self, request, **kwargs) -> Response:
        return revealed(request, self._owner())

    def _owner(self) -> DerOwner:
        """The owner of the record, for those who may know of one."""
        der = self.get_object()
        return get_object_or_404(DerOwner.objects.visible_to(self.request.user, "view_personal"), pk=der.owner_id)
