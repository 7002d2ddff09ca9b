"""API: verdicts and broken rules, overrides, the RTO's decisions, changes of the law with their preview."""

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from moc.access import policy
from moc.access.models import Organization
from moc.rest.conditions import idempotent
from moc.rest.letters import letter
from moc.rest.resources import Moves, Resource
from moc.rest.schema import MATCHED
from moc.rest.serializers import ANY_ID, Flat, Reason, example, slug_of
from moc.rulesets import services as rulesets
from moc.rulesets.models import RuleChange
from registry.aggregations.models import Aggregation
from registry.catalogue.models import GridService
from registry.ders.models import Der
from registry.prequalification import reports
from registry.prequalification.filters import QualificationFilterSet
from registry.prequalification.models import BrokenRule, MarketDecision, Qualification, QualificationOverride
from registry.prequalification.services import deciding, overriding, passes
from registry.prequalification.views.verdicts import QualificationCertificate

Kind = MarketDecision.Kind


class QualificationSerializer(Flat):
    """A verdict on a DER or an aggregation for one service."""

    der = serializers.UUIDField(source="der.uuid", allow_null=True)
    aggregation = serializers.UUIDField(source="aggregation.uuid", allow_null=True)
    market = slug_of("market", "who buys: an RTO's slug, or a utility's")
    service = serializers.SlugField(source="service_id")
    aggregator = slug_of("aggregator")
    edc = slug_of("edc", "the utility's slug", allow_null=True)

    class Meta:
        model = Qualification
        fields = ["id", "der", "aggregation", "market", "service", "eligible", "by_rules", "since", "aggregator", "edc"]


class BrokenRuleSerializer(Flat):
    """A rule that a DER or an aggregation breaks, with both numbers; `services` that it bars, null for all."""

    der = serializers.UUIDField(source="der.uuid", allow_null=True)
    aggregation = serializers.UUIDField(source="aggregation.uuid", allow_null=True)
    services = serializers.ListField(child=serializers.CharField(), allow_null=True)

    class Meta:
        model = BrokenRule
        fields = ["id", "der", "aggregation", "code", "services", "value", "limit"]


class Verdicts(Resource):
    """Verdicts within your reach."""

    model = Qualification
    serializer_class = QualificationSerializer
    filterset_class = QualificationFilterSet
    lookup_field, lookup_value_converter = "pk", "int"


class BrokenRules(Resource):
    """Broken rules within your reach. Rules that are passed are not stored."""

    model = BrokenRule
    serializer_class = BrokenRuleSerializer
    lookup_field, lookup_value_converter = "pk", "int"


class OverrideSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    der = serializers.UUIDField(source="der.uuid", allow_null=True)
    aggregation = serializers.UUIDField(source="aggregation.uuid", allow_null=True)
    service = serializers.SlugField(source="service_id")
    by = slug_of("by", "the utility or the regulator")

    class Meta:
        model = QualificationOverride
        fields = ["id", "der", "aggregation", "service", "eligible", "reason", "by", "made_at", "ended_at"]


@example({"der": ANY_ID, "service": "energy", "eligible": False, "reason": "Its feeder is overloaded until the rebuild"})
class MakeOverride(serializers.Serializer):
    """Qualify or bar a DER or an aggregation (name one of them) for a service against the rules."""

    der = serializers.UUIDField(required=False)
    aggregation = serializers.UUIDField(required=False)
    service = serializers.SlugField()
    eligible = serializers.BooleanField()
    reason = serializers.CharField(max_length=2000)

    def validate(self, attrs: dict) -> dict:
        """Exactly one subject."""
        if ("der" in attrs) == ("aggregation" in attrs):
            raise ValidationError({"der": ["Name a DER or an aggregation."]})
        return attrs


class Overrides(Resource):
    """Overrides by utilities and regulators; POST makes one, in the place of one that stands."""

    model = QualificationOverride
    serializer_class = OverrideSerializer

    @extend_schema(request=MakeOverride, responses={201: OverrideSerializer}, summary="Override a verdict")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        body = MakeOverride(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        model, key = (Der, said.pop("der")) if "der" in said else (Aggregation, said.pop("aggregation"))
        subject = get_object_or_404(model.objects.visible_to(request.user), uuid=key)
        made = overriding.override(actor=request.user, subject=subject, service=_service(said.pop("service")), **said)
        return _created(self, made, "api-qualification-override-detail")

    @extend_schema(request=None, responses=OverrideSerializer, parameters=[MATCHED], summary="Let the rules decide again")
    @action(detail=True, methods=["post"])
    @idempotent
    def end(self, request, **kwargs) -> Response:
        override = self.get_object()
        with transaction.atomic():
            overriding.end_override(actor=request.user, override=self.require_match(override))
        return self.answer(self.get_object())


class MarketDecisionSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    aggregation = serializers.UUIDField(source="aggregation.uuid")
    verdicts = serializers.JSONField(help_text="service → its verdict, as the RTO saw it")

    class Meta:
        model = MarketDecision
        fields = [
            *("id", "aggregation", "kind", "rule", "statement", "market_id", "effective_on", "verdicts", "decided_at"),
            *("answer", "answered_at"),
        ]


@example({"aggregation": ANY_ID, "kind": "register", "market_id": "AGG-1042", "effective_on": "2027-06-01"})
class DecideOnAggregation(serializers.Serializer):
    """Validate (`market_id`, `effective_on`), deny or suspend (`rule`) an aggregation; ask, return or reinstate it (`statement`)."""

    aggregation = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=MarketDecision.Kind.choices)
    rule = serializers.CharField(required=False, max_length=40, default="")
    market_id = serializers.CharField(required=False, max_length=60, default="")
    effective_on = serializers.DateField(required=False)
    statement = serializers.CharField(required=False, allow_blank=True, max_length=2000, default="")


@example({"answer": "Utility meters, read every five minutes"})
class AnswerQuestion(serializers.Serializer):
    """The aggregator's answer to a question of the RTO."""

    answer = serializers.CharField(max_length=2000)


VERBS = {
    Kind.REGISTER: (deciding.register, ("market_id", "effective_on")),
    Kind.DENY: (deciding.deny, ("rule",)),
    Kind.SUSPEND: (deciding.suspend, ("rule",)),
    Kind.ASK: (deciding.ask, ()),
    Kind.RETURN: (deciding.return_incomplete, ()),
    Kind.REINSTATE: (deciding.reinstate, ()),
}


def _its_aggregation(decision: MarketDecision) -> dict:
    """The address of the page of a decision's aggregation."""
    return {"uuid": decision.aggregation.uuid}


class MarketDecisions(Resource):
    """Decisions of RTOs on aggregations; POST takes one, `answer/` answers a question."""

    model = MarketDecision
    serializer_class = MarketDecisionSerializer
    letter = letter(QualificationCertificate, "The certificate of the aggregation that it registered, as PDF", _its_aggregation)

    @extend_schema(
        request=DecideOnAggregation, responses={201: MarketDecisionSerializer}, summary="Validate an aggregation, or deny it by a rule"
    )
    @idempotent
    def create(self, request, **kwargs) -> Response:
        body = DecideOnAggregation(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        rows = Aggregation.objects.visible_to(request.user).select_related("tso")
        aggregation = get_object_or_404(rows, uuid=said["aggregation"])
        decide, names = VERBS[said["kind"]]
        if "effective_on" in names and "effective_on" not in said:
            raise ValidationError({"effective_on": ["Give the day from which it takes part."]})
        given = {name: said[name] for name in (*names, "statement")}
        return _created(self, decide(actor=request.user, aggregation=aggregation, **given), "api-market-decision-detail")

    @extend_schema(request=AnswerQuestion, responses=MarketDecisionSerializer, summary="Answer a question of the RTO")
    @action(detail=True, methods=["post"], url_path="answer", url_name="answer")
    @idempotent
    def reply(self, request, **kwargs) -> Response:
        decision = self.get_object()
        body = AnswerQuestion(data=request.data)
        body.is_valid(raise_exception=True)
        deciding.answer(actor=request.user, decision=decision, text=body.validated_data["answer"])
        return self.answer(self.get_object())


class RuleChangeSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    organization = slug_of("organization", "who asks for it")
    value = serializers.JSONField()

    class Meta:
        model = RuleChange
        fields = ["id", "status", "organization", "key", "authority", "value", "unit", "source", "starts_on", "drafted_at"]


class DraftChange(serializers.Serializer):
    """A row of the law to be: an RTO or a regulator drafts for itself, the operator for any authority."""

    organization = serializers.SlugField()
    key = serializers.SlugField(max_length=80)
    value = serializers.JSONField()
    source = serializers.CharField(max_length=2000)
    starts_on = serializers.DateField()
    authority = serializers.SlugField(required=False, allow_blank=True, default="")


class PreviewSerializer(serializers.Serializer):
    """How many DERs would newly break a rule or newly pass, by utility, aggregator and technology; and which aggregations."""

    rules = serializers.ListField(child=serializers.CharField(), help_text="codes of the rules that read it")
    ders = serializers.DictField(child=serializers.IntegerField())
    groups = serializers.DictField(child=serializers.DictField(child=serializers.DictField(child=serializers.IntegerField())))
    aggregations = serializers.DictField(child=serializers.ListField(child=serializers.UUIDField()))


class RuleChanges(Moves):
    """Changes of the law that are prepared or in force; POST drafts one, `preview/` says whom it would touch."""

    model = RuleChange
    serializer_class = RuleChangeSerializer
    moves = {"schedule": Reason, "withdraw": Reason}

    @extend_schema(request=DraftChange, responses={201: RuleChangeSerializer}, summary="Draft a rule change")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        if not policy.allows(request.user, rulesets.PERMISSION):
            raise policy.NotPermitted("You may not change the law.")
        body = DraftChange(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        mine = Organization.objects.filter(pk__in=policy.reach(request.user, rulesets.PERMISSION))
        organization = mine.filter(slug=said.pop("organization")).first()
        if organization is None:
            raise ValidationError({"organization": [f"Name one for which you may: {', '.join(mine.values_list('slug', flat=True))}."]})
        return _created(self, rulesets.draft(actor=request.user, organization=organization, **said), "api-rule-change-detail")

    @extend_schema(responses=PreviewSerializer, summary="Who would newly break or newly pass")
    @action(detail=True, filterset_class=None, pagination_class=None)
    def preview(self, request, **kwargs) -> Response:
        found = reports.preview(self.get_object(), request.user)
        groups = {name: {group: dict(rows) for group, rows in parts.items()} for name, parts in found.groups.items()}
        aggregations = {name: sorted({str(offer.aggregation.uuid) for offer in rows}) for name, rows in found.offers.items()}
        return Response({"rules": [rule.code for rule in found.rules], "ders": found.ders, "groups": groups, "aggregations": aggregations})

    def perform(self, actor, obj: RuleChange, name: str, **said) -> None:
        passes.settle(actor=actor, change=obj, name=name)


def _service(code: str) -> GridService:
    found = GridService.objects.in_force().filter(pk=code).first()
    if found is None:
        raise ValidationError({"service": ["There is no such service."]})
    return found


def _created(resource: Resource, made, name: str) -> Response:
    """201 with the record and its address."""
    response = resource.answer(made, status=201)
    response["Location"] = resource.request.build_absolute_uri(reverse(name, args=[made.uuid]))
    return response
