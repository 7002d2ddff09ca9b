"""API: aggregations, their members as sets, their composition and their response by node."""

from django.db import transaction
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.response import Response

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.rest.bodies import TABLES, XLSX, file_of
from moc.rest.conditions import idempotent
from moc.rest.pages import filtered
from moc.rest.resources import NEWEST, Moves, Versioned
from moc.rest.schema import MATCHED
from moc.rest.serializers import Flat, Reason, example, slug_of
from registry.aggregations import reports
from registry.aggregations.choices import Purpose
from registry.aggregations.filters import AggregationFilterSet, MemberFilterSet
from registry.aggregations.forms import aggregators_of
from registry.aggregations.models import AGENTS, Aggregation, AggregationMember
from registry.aggregations.services import agents, building, loads, membership
from registry.ders.filters import DerFilterSet
from registry.ders.models import Der
from registry.grid.models import Pnode, TdInterface

PARTIES = ("tso", "edc", *AGENTS)
MOST = 10_000
FILES = {
    "multipart/form-data": OpenApiTypes.BINARY,
    **dict.fromkeys(("text/csv", "application/json", "application/x-ndjson", XLSX, "application/gzip"), OpenApiTypes.BINARY),
}


class AggregationSerializer(Flat):
    """Powers in kW, injection positive; `restate_since`: members changed since limits and ramps were stated (¶338)."""

    id = serializers.UUIDField(source="uuid")
    aggregator = slug_of("aggregator")
    tso = slug_of("tso", "the RTO's slug", allow_null=True)
    edc = slug_of("edc", "the utility's slug", allow_null=True)
    td_interface = serializers.CharField(source="td_interface.code", allow_null=True)
    market_agent = slug_of("market_agent")
    dispatch_agent = slug_of("dispatch_agent")
    meter_reader = slug_of("meter_reader")

    class Meta:
        model = Aggregation
        fields = [
            *("id", "status", "aggregator", "name", "purpose", "services", "tso", "participation_model", "edc", "td_interface"),
            *(*AGENTS, *building.PERFORMANCE, "stated_on", "stated_kw", "restate_since", "market_id", "effective_on"),
        ]


@example({"name": "Shore, storage", "tso": "pjm", "services": ["energy"], "participation_model": "dera", "upper_limit_kw": 250})
class AggregationBody(serializers.Serializer):
    """Facts of an aggregation; parties by slug, the T-D interface by its utility (`edc`) and code."""

    aggregator = serializers.SlugField(required=False, help_text="for whom; needed by those who build for several")
    name = serializers.CharField(max_length=120)
    purpose = serializers.ChoiceField(choices=Purpose.choices, required=False)
    services = serializers.ListField(child=serializers.SlugField(), required=False)
    tso = serializers.SlugField(required=False, allow_null=True)
    participation_model = serializers.SlugField(required=False, max_length=60, allow_blank=True)
    edc = serializers.SlugField(required=False, allow_null=True)
    td_interface = serializers.CharField(required=False, allow_null=True)
    market_agent = serializers.SlugField(required=False)
    dispatch_agent = serializers.SlugField(required=False)
    meter_reader = serializers.SlugField(required=False)
    upper_limit_kw = serializers.DecimalField(14, 3, required=False, allow_null=True)
    lower_limit_kw = serializers.DecimalField(14, 3, required=False, allow_null=True)
    ramp_up_kw_per_min = serializers.DecimalField(14, 3, required=False, allow_null=True, min_value=0)
    ramp_down_kw_per_min = serializers.DecimalField(14, 3, required=False, allow_null=True, min_value=0)
    response_time_s = serializers.IntegerField(required=False, allow_null=True, min_value=0)

    def facts(self) -> dict:
        """What the service takes: parties as organisations."""
        given = {name: value for name, value in self.validated_data.items() if name != "aggregator"}
        for name in PARTIES:
            if given.get(name):
                given[name] = _one(name, Organization.objects.filter(slug=given[name], is_active=True))
        if given.get("td_interface"):
            found = TdInterface.objects.filter(code=given["td_interface"])
            given["td_interface"] = _one("td_interface", found.filter(edc=given["edc"]) if given.get("edc") else found)
        return given


class MemberSerializer(Flat):
    """One DER for one service on some days, half open."""

    der_id = serializers.UUIDField(source="der.uuid")
    external_id = serializers.CharField(source="der.external_id")
    service = serializers.CharField(source="service_id")
    edc = slug_of("edc", "the utility's slug")
    starts_on = serializers.DateField(source="valid_during.startswith", allow_null=True)
    ends_on = serializers.DateField(source="valid_during.endswith", allow_null=True, help_text="the first day without it")

    class Meta:
        model = AggregationMember
        fields = ["der_id", "external_id", "service", "share_percent", "edc", "starts_on", "ends_on"]


class FedMemberSerializer(MemberSerializer):
    """A member in the feed of changes, with its aggregation."""

    aggregation = serializers.UUIDField(source="aggregation.uuid")

    class Meta(MemberSerializer.Meta):
        fields = ["aggregation", *MemberSerializer.Meta.fields]


@example({"ders": ["D-1", "D-2"], "services": ["energy"], "share_percent": 100, "starts_on": "2027-06-01"})
class MembersBody(serializers.Serializer):
    """DERs by id (`ders`: DER ids or your own) or by the parameters of the list of DERs (`filter`), and the terms."""

    ders = serializers.ListField(child=serializers.CharField(max_length=64), required=False, max_length=MOST, min_length=1)
    filter = serializers.DictField(child=serializers.CharField(), required=False)
    services = serializers.ListField(child=serializers.SlugField(), required=False, default=list)
    share_percent = serializers.DecimalField(6, 3, required=False, default=100)
    starts_on = serializers.DateField(required=False, default=None, help_text="left out: today")
    ends_on = serializers.DateField(required=False, default=None, help_text="the first day without them; of a drop: left out, today")
    only_good = serializers.BooleanField(required=False, default=False, help_text="otherwise one that cannot keeps all out")

    def chosen(self, user, aggregation: Aggregation):
        given = self.validated_data
        if ("ders" in given) == ("filter" in given):
            raise ValidationError({"ders": ["Give either ders or filter."]})
        if "ders" in given:
            return given["ders"]
        mine = Der.objects.visible_to(user).filter(aggregator=aggregation.aggregator_id)
        unknown = set(given["filter"]) - set(DerFilterSet.base_filters) - {"nameplate_ac_kw_min", "nameplate_ac_kw_max"}
        if unknown:
            raise ValidationError({"filter": [f"There is no such parameter: {', '.join(sorted(unknown))}."]})
        return filtered(DerFilterSet, given["filter"], mine, user)

    def terms(self) -> membership.Terms:
        given = self.validated_data
        return membership.Terms(
            starts=given["starts_on"], ends=given["ends_on"], services=tuple(given["services"]), share=given["share_percent"]
        )


class ProblemSerializer(serializers.Serializer):
    row = serializers.IntegerField()
    column = serializers.CharField()
    code = serializers.CharField()
    value = serializers.CharField()
    sentence = serializers.CharField()
    remedy = serializers.CharField()


class OutcomeSerializer(serializers.Serializer):
    """What became of a change of members; problems are the first of the rows left out."""

    rows = serializers.IntegerField()
    bad = serializers.IntegerField()
    changed = serializers.IntegerField(help_text="memberships")
    problems = ProblemSerializer(many=True)


class PartSerializer(serializers.Serializer):
    """Members of today of one technology, at one pricing node, of one utility."""

    technology = serializers.CharField()
    node = serializers.CharField()
    utility = serializers.CharField()
    ders = serializers.IntegerField()
    kw = serializers.FloatField()
    kwh = serializers.FloatField()


@example({"factors": {"NODE-A": 0.6, "NODE-B": 0.4}, "starts_on": "2027-06-01"})
class FactorsBody(serializers.Serializer):
    """Node → share of the response, from 0 to 1; they sum to 1."""

    factors = serializers.DictField(child=serializers.DecimalField(10, 9))
    starts_on = serializers.DateField(required=False, allow_null=True, default=None, help_text="left out: today")


class FactorSerializer(serializers.Serializer):
    node = serializers.CharField()
    factor = serializers.DecimalField(10, 9)
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)


class AgentSerializer(serializers.Serializer):
    """What another party was granted on the aggregation."""

    role = serializers.ChoiceField(choices=AGENTS)
    agent = serializers.SlugField(source="agent.slug", help_text="the organisation's slug")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True, help_text="the first day without it")


@example({"role": "dispatch_agent", "ends_on": "2027-06-01"})
class AgentEndBody(serializers.Serializer):
    """Which agency ends, and when; then the aggregator does it itself. Another agent is named by changing the aggregation."""

    role = serializers.ChoiceField(choices=AGENTS)
    ends_on = serializers.DateField(required=False, allow_null=True, default=None, help_text="the first day without it; left out: today")


class JobPlace(serializers.Serializer):
    job = serializers.URLField(help_text="where to follow the reading")


class Aggregations(Versioned, Moves):
    """Aggregations within your reach."""

    model = Aggregation
    serializer_class = AggregationSerializer
    filterset_class = AggregationFilterSet
    moves = dict.fromkeys(building.MOVES, Reason)

    def get_parsers(self) -> list:
        takes_tables = self.request and self.request.method == "POST" and self.action_map.get("post") == "by_file"
        return [parser() for parser in (TABLES if takes_tables else (JSONParser,))]

    @extend_schema(request=AggregationBody, responses={201: AggregationSerializer}, summary="Make a draft of an aggregation")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        mine = {party.slug: party for party in aggregators_of(request.user)}
        if not mine:
            raise policy.NotPermitted("You may not build aggregations.")
        body = AggregationBody(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data.get("aggregator") or (next(iter(mine)) if len(mine) == 1 else "")
        if wanted not in mine:
            raise ValidationError({"aggregator": [f"Name one of those that you build for: {', '.join(mine)}."]})
        made = building.create(actor=request.user, aggregator=mine[wanted], **body.facts())
        return self.answer(made, status=201)

    @extend_schema(request=AggregationBody(partial=True), responses=AggregationSerializer, summary="Change an aggregation")
    def partial_update(self, request, **kwargs) -> Response:
        aggregation = self.get_object()
        policy.require(request.user, "file_ders", aggregation.aggregator)
        body = AggregationBody(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        facts = body.facts()
        with transaction.atomic():
            building.change(actor=request.user, aggregation=self.require_match(aggregation), **facts)
        return self.answer(self.get_object())

    def perform(self, actor, obj: Aggregation, name: str, **said) -> None:
        building.move(actor=actor, aggregation=obj, name=name, **said)

    @extend_schema(responses=MemberSerializer(many=True), summary="The members")
    @action(
        detail=True,
        model=AggregationMember,
        serializer_class=MemberSerializer,
        filterset_class=MemberFilterSet,
        sorts=NEWEST,
        keeps_versions=False,
    )
    def members(self, request, **kwargs) -> Response:
        aggregation = self.get_object()
        rows = self.filter_queryset(AggregationMember.objects.filter(aggregation=aggregation))
        rows = rows if reports.sees_all(request.user, aggregation) else policy.scope(rows, request.user, self.permission)
        return self.paginator.page(rows, self, branches=None)

    def lay(self, rows, keys: list) -> list[dict]:
        if rows.model is not AggregationMember:
            return super().lay(rows, keys)
        with sight.engine():  # the keys were found within the scope; an agent sees a member's id, not the DER's record
            return super().lay(rows, keys)

    @extend_schema(request=MembersBody, responses=OutcomeSerializer, summary="Add members, all or nothing")
    @members.mapping.post
    @idempotent
    def add(self, request, **kwargs) -> Response:
        return self._change(membership.add)

    @extend_schema(request=MembersBody, responses=OutcomeSerializer, summary="Drop members, all or nothing")
    @action(detail=True, methods=["post"], url_path="members/drop", url_name="drop")
    @idempotent
    def drop(self, request, **kwargs) -> Response:
        return self._change(membership.drop)

    def _change(self, verb) -> Response:
        user, aggregation = self.request.user, self.get_object()
        policy.require(user, "file_ders", aggregation.aggregator)
        body = MembersBody(data=self.request.data)
        body.is_valid(raise_exception=True)
        named = {"ders": body.chosen(user, aggregation), "terms": body.terms(), "only_good": body.validated_data["only_good"]}
        told = verb(actor=user, aggregation=aggregation, **named).told()
        return Response({name: told[name] for name in ("rows", "bad", "changed", "problems")})

    @extend_schema(
        request=FILES,
        parameters=[
            OpenApiParameter("act", str, enum=["add", "drop"], description="what the members of the file do; left out: add"),
            OpenApiParameter("only_good", bool, description="take the good rows even if others have errors"),
        ],
        responses={202: JobPlace},
        summary="Add or drop the members that a table names",
    )
    @action(detail=True, methods=["post"], url_path="members/file", url_name="file")
    @idempotent
    def by_file(self, request, **kwargs) -> Response:
        aggregation, asked = self.get_object(), request.query_params
        if asked.get("act", "add") not in ("add", "drop"):
            raise ValidationError({"act": ["Choose add or drop."]})
        only_good = asked.get("only_good", "").lower() in ("true", "1", "yes")
        how = {"leaving": asked.get("act") == "drop", "only_good": only_good}
        policy.require(request.user, "file_ders", aggregation.aggregator)
        job = loads.receive(actor=request.user, aggregation=aggregation, upload=file_of(request), **how)
        place = request.build_absolute_uri(reverse("api-job-detail", args=[job.uuid]))
        return Response({"job": place}, status=202, headers={"Location": place})

    @extend_schema(responses=PartSerializer(many=True), summary="What it consists of today, computed from its members")
    @action(detail=True, filterset_class=None, pagination_class=None, keeps_versions=False)
    def composition(self, request, **kwargs) -> Response:
        return Response(PartSerializer(reports.composition(request.user, self.get_object()), many=True).data)

    @extend_schema(responses=FactorSerializer(many=True), summary="Its response by pricing node, today and later")
    @action(detail=True, filterset_class=None, pagination_class=None, keeps_versions=False)
    def factors(self, request, **kwargs) -> Response:
        return self.answer_below(self._factors(self.get_object()))

    @staticmethod
    def _factors(aggregation: Aggregation) -> list:
        return FactorSerializer(reports.factors(aggregation), many=True).data

    @extend_schema(
        request=FactorsBody,
        responses=FactorSerializer(many=True),
        parameters=[MATCHED],
        summary="State its response by node from a day on, in the place of what you read",
    )
    @factors.mapping.post
    @idempotent
    def set_factors(self, request, **kwargs) -> Response:
        aggregation = self.get_object()
        policy.require(request.user, "file_ders", aggregation.aggregator)
        body = FactorsBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data["factors"]
        nodes = {node.name: node for node in Pnode.objects.filter(tso=aggregation.tso_id, name__in=given)}
        if missing := set(given) - set(nodes):
            raise ValidationError({"factors": [f"The RTO has no node {', '.join(sorted(missing))}."]})
        stated = {nodes[name]: factor for name, factor in given.items()}
        with transaction.atomic():
            self.require_match_below(self._factors(self.hold(aggregation)))
            building.set_factors(actor=request.user, aggregation=aggregation, factors=stated, starts=body.validated_data["starts_on"])
        return self.answer_below(self._factors(aggregation))

    @extend_schema(responses=AgentSerializer(many=True), summary="What other parties were granted on it as its agents")
    @action(detail=True, filterset_class=None, pagination_class=None, keeps_versions=False)
    def agents(self, request, **kwargs) -> Response:
        return self.answer_below(self._agents(self.get_object()))

    @staticmethod
    def _agents(aggregation: Aggregation) -> list:
        return AgentSerializer(reports.agents(aggregation), many=True).data

    @extend_schema(
        request=AgentEndBody,
        responses=AgentSerializer(many=True),
        parameters=[MATCHED],
        summary="An agency ends, today or on a later day",
    )
    @agents.mapping.post
    @idempotent
    def end_agent(self, request, **kwargs) -> Response:
        aggregation = self.get_object()
        policy.require(request.user, "file_ders", aggregation.aggregator)
        body = AgentEndBody(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            self.require_match_below(self._agents(self.hold(aggregation)))
            agents.end(actor=request.user, aggregation=aggregation, **body.validated_data)
        return self.answer_below(self._agents(aggregation))


def _one(name: str, rows):
    found = rows.first()
    if found is None:
        raise ValidationError({name: ["There is none of this name that you may see."]})
    return found
