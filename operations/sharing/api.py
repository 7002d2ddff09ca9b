"""API: envelope policies, read by whoever sees their utility, written by who manages its grid."""

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from moc.access import policy
from moc.access.models import Organization
from moc.rest.conditions import idempotent
from moc.rest.resources import Versioned
from moc.rest.serializers import Flat, example, slug_of
from operations.envelopes.models import EnvelopePolicy
from operations.sharing import services
from operations.sharing.filters import PolicyFilterSet
from registry.grid.models import Feeder


class EnvelopePolicySerializer(Flat):
    """How a utility shares the room of a feeder, or of its other feeders."""

    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code", allow_null=True, help_text="the utility's code; null: all others")

    class Meta:
        model = EnvelopePolicy
        fields = ["id", "edc", "feeder", *services.FACTS]


class EnvelopePolicyFacts(serializers.ModelSerializer):
    """What a policy says. What is left out keeps its value, or the default."""

    class Meta:
        model = EnvelopePolicy
        fields = services.FACTS


@example({"edc": "jcpl", "feeder": "F-12", "method": "weighted", "loading_percent": 90})
class EnvelopePolicyBody(EnvelopePolicyFacts):
    """A policy of a feeder, or of a utility's other feeders."""

    edc = serializers.SlugField(help_text="the utility's slug")
    feeder = serializers.CharField(max_length=40, required=False, allow_null=True, help_text="the utility's code; left out: all others")

    class Meta(EnvelopePolicyFacts.Meta):
        fields = ("edc", "feeder", *services.FACTS)
        validators = ()  # the service says it in words

    def said(self, user) -> dict:
        """What the service takes, for whoever manages the utility's grid."""
        given = dict(self.validated_data)
        edc = Organization.objects.filter(slug=given["edc"], kind=Organization.Kind.EDC, is_active=True).first()
        if edc is None:
            raise ValidationError({"edc": ["There is no utility of this slug."]})
        policy.require(user, services.PERMISSION, edc)
        code = given.get("feeder")
        feeder = Feeder.objects.filter(edc=edc, code=code).first() if code else None
        if code and feeder is None:
            raise ValidationError({"feeder": ["No feeder of this utility has this code. Leave it out for all its feeders."]})
        return given | {"edc": edc, "feeder": feeder}


class EnvelopePolicyChange(EnvelopePolicyFacts):
    """The values that are others now, and why."""

    reason = serializers.CharField(max_length=300, required=False, help_text="stands in the operational log and in the policy's history")

    class Meta(EnvelopePolicyFacts.Meta):
        fields = (*services.FACTS, "reason")


class EnvelopePolicies(Versioned):
    """How utilities share the room of their feeders. A feeder's own policy goes before its utility's; without any, defaults hold."""

    model = EnvelopePolicy
    serializer_class = EnvelopePolicySerializer
    filterset_class = PolicyFilterSet
    lookup_field, lookup_value_converter = "pk", "int"

    @extend_schema(request=EnvelopePolicyBody, responses={201: EnvelopePolicySerializer}, summary="Add a policy")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, services.PERMISSION)
        body = EnvelopePolicyBody(data=request.data)
        body.is_valid(raise_exception=True)
        return self.answer(services.add(actor=request.user, **body.said(request.user)), status=201)

    @extend_schema(request=EnvelopePolicyChange(partial=True), responses=EnvelopePolicySerializer, summary="Change a policy")
    def partial_update(self, request, **kwargs) -> Response:
        chosen = self.get_object()
        policy.require(request.user, services.PERMISSION, chosen)
        body = EnvelopePolicyChange(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            services.change(actor=request.user, chosen=self.require_match(chosen), **body.validated_data)
        return self.answer(self.get_object())
