"""API of DERs with what reaches beyond them: who holds them, their owners' invitation, and erasing a customer."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from moc.access import policy, presence
from moc.access.models import Organization
from moc.rest.conditions import idempotent
from moc.rest.serializers import ANY_ID, example
from registry.customers import services as customers
from registry.ders import services as tenures
from registry.ders.api import Ders
from registry.ders.models import Der
from registry.submissions.services import erasing

MOST = 10_000


@example({"reason": "The customer's request of 1 June"})
class Erasure(serializers.Serializer):
    """Why the customer is erased; kept with the act."""

    reason = serializers.CharField(max_length=300, help_text="the customer's request, or the order")


TENURES = {"end": tenures.end_tenure, "begin": tenures.begin_tenure, "hand_over": tenures.hand_over}


@example({"verb": "hand_over", "ders": [ANY_ID], "aggregator": "kittatinny", "on": "2027-06-01", "reason": "The customer changed"})
class TenureBody(serializers.Serializer):
    """What becomes of the tenures of your utility's DERs."""

    verb = serializers.ChoiceField(choices=list(TENURES))
    ders = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST)
    aggregator = serializers.SlugField(required=False, default="", help_text="who holds them then; not where a tenure only ends")
    on = serializers.DateField(help_text="the first day with the new aggregator, or without the old; today or later")
    reason = serializers.CharField(max_length=300, help_text="both aggregators can read it")


class TenureOutcome(serializers.Serializer):
    """How many DERs it was done for."""

    ders = serializers.IntegerField()


class FiledDers(Ders):
    """DERs within your reach. Personal columns are not part of the record; `owner/` has them, for those who may see them."""

    @extend_schema(
        request=Erasure, responses={204: None}, summary="Erase the customer for good: registered, filed, in history and in files"
    )
    @action(detail=True, methods=["post"], url_path="owner/erase", url_name="owner-erase", keeps_versions=False)
    def erase(self, request, **kwargs) -> Response:
        presence.demand(request)
        body = Erasure(data=request.data)
        body.is_valid(raise_exception=True)
        erasing.erase_owner(actor=request.user, owner=self._owner(), reason=body.validated_data["reason"])
        return Response(status=204)

    @extend_schema(request=None, responses={204: None}, summary="Write to the owner, with the link to a page of their own")
    @action(detail=True, methods=["post"], url_path="owner/invite", url_name="owner-invite", keeps_versions=False)
    @idempotent
    def invite(self, request, **kwargs) -> Response:
        presence.demand(request)
        customers.invite(actor=request.user, owner=self._owner())
        return Response(status=204)

    @extend_schema(request=TenureBody, responses=TenureOutcome, summary="End, begin or hand over the tenures of DERs, all or nothing")
    @action(detail=False, methods=["post"], url_path="tenures", url_name="tenures", keeps_versions=False)
    @idempotent
    def tenures(self, request, **kwargs) -> Response:
        policy.require(request.user, "manage_tenures")
        body = TenureBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        verb, slug, wanted = said.pop("verb"), said.pop("aggregator"), said.pop("ders")
        ders = policy.scope(Der.objects.filter(uuid__in=wanted), request.user, "manage_tenures")
        if ders.count() != len(set(wanted)):
            raise ValidationError({"ders": ["Some are not DERs of your utility."]})
        if verb != "end":
            said["aggregator"] = Organization.objects.filter(slug=slug, kind=Organization.Kind.AGGREGATOR, is_active=True).first()
            if said["aggregator"] is None:
                raise ValidationError({"aggregator": ["There is no aggregator of this slug."]})
        return Response({"ders": TENURES[verb](actor=request.user, ders=ders, **said)})
