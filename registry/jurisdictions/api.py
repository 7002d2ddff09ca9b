"""API: jurisdictions, sales by year, affiliations, retail programs."""

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from moc.access import policy
from moc.access.models import Organization
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves, Resource, Versioned
from moc.rest.schema import MATCHED
from moc.rest.serializers import Flat, Reason, example, slug_of
from registry.grid.models import County
from registry.jurisdictions.filters import DatedFilterSet, OfUtilityFilterSet, RetailProgramFilterSet
from registry.jurisdictions.models import Affiliation, AnnualSales, Jurisdiction, RetailProgram
from registry.jurisdictions.services import programs, reference
from registry.participants.api import organization_of


class Dated(Flat):
    """A record of some days, half open."""

    edc = slug_of("edc", "the utility's slug")
    valid_from = serializers.DateField(source="valid_during.startswith", allow_null=True)
    valid_until = serializers.DateField(source="valid_during.endswith", allow_null=True, help_text="the first day without it")


class Days(serializers.Serializer):
    """A utility, and the days on which something holds."""

    edc = serializers.SlugField(help_text="the utility's slug")
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(required=False, allow_null=True, default=None, help_text="the first day without it; left out: none")

    def validate(self, given: dict) -> dict:
        """The days as a range, the utility as an organisation."""
        first, last = given.pop("valid_from"), given.pop("valid_until")
        if last is not None and last <= first:
            raise serializers.ValidationError({"valid_until": "It ends after it begins."})
        return given | {"valid_during": DateRange(first, last), "edc": organization_of("edc", given["edc"], Organization.Kind.EDC)}


@example({"on": "2027-06-01"})
class EndBody(serializers.Serializer):
    """The first day without it."""

    on = serializers.DateField()


class Kept(Resource):
    """Public reference data that the operator keeps: POST adds a record of `body_class`."""

    filterset_class = DatedFilterSet
    lookup_field, lookup_value_converter = "pk", "int"
    body_class: type[serializers.Serializer]

    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, reference.PERMISSION, self.model())
        body = self.body_class(data=request.data)
        body.is_valid(raise_exception=True)
        return self.answer(reference.add(actor=request.user, record=self.model(**body.validated_data)), status=201)


class Ending(Kept):
    """Such data that hold on days."""

    @extend_schema(request=EndBody, responses={204: None}, parameters=[MATCHED], summary="It holds until a day")
    @action(detail=True, methods=["post"], filterset_class=None)
    @idempotent
    def end(self, request, **kwargs) -> Response:
        record = self.get_object()
        policy.require(request.user, reference.PERMISSION, record)
        body = EndBody(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            reference.end(actor=request.user, record=self.require_match(record), **body.validated_data)
        return Response(status=204)


class JurisdictionSerializer(Dated):
    rerra = slug_of("rerra", "the regulator's slug")
    county_fips = serializers.CharField(source="county_id")

    class Meta:
        model = Jurisdiction
        fields = ["id", "rerra", "edc", "county_fips", "valid_from", "valid_until"]


@example({"rerra": "njbpu", "edc": "jcpl", "county_fips": "34025", "valid_from": "2027-01-01"})
class JurisdictionBody(Days):
    """A regulator over a utility in a county."""

    rerra = serializers.SlugField(help_text="the regulator's slug")
    county_fips = serializers.CharField(max_length=5)

    def validate(self, given: dict) -> dict:
        """The regulator as an organisation, the county as a key."""
        given = super().validate(given)
        county = County.objects.filter(pk=given.pop("county_fips")).first()
        if county is None:
            raise serializers.ValidationError({"county_fips": "There is no such county."})
        return given | {"county": county, "rerra": organization_of("rerra", given["rerra"], Organization.Kind.RERRA)}


@extend_schema_view(create=extend_schema(request=JurisdictionBody, responses={201: JurisdictionSerializer}, summary="Add a jurisdiction"))
class Jurisdictions(Ending):
    """Which regulator governs which utility in which county."""

    model = Jurisdiction
    serializer_class = JurisdictionSerializer
    body_class = JurisdictionBody


class AnnualSalesSerializer(Flat):
    edc = slug_of("edc", "the utility's slug")

    class Meta:
        model = AnnualSales
        fields = ["id", "edc", "year", "sales_mwh", "source"]


@example({"edc": "jcpl", "year": 2026, "sales_mwh": 20500000, "source": "EIA-861 2026"})
class SalesBody(serializers.Serializer):
    """What a utility distributed in a fiscal year."""

    edc = serializers.SlugField(help_text="the utility's slug")
    year = serializers.IntegerField(min_value=1990, max_value=2200)
    sales_mwh = serializers.DecimalField(14, 3, min_value=0)
    source = serializers.CharField(max_length=200)

    def validate_edc(self, slug: str) -> Organization:
        """The utility."""
        return organization_of("edc", slug, Organization.Kind.EDC)


@extend_schema_view(create=extend_schema(request=SalesBody, responses={201: AnnualSalesSerializer}, summary="Add the sales of a year"))
class SalesByYear(Kept):
    """What utilities distributed, by fiscal year."""

    model = AnnualSales
    serializer_class = AnnualSalesSerializer
    filterset_class = OfUtilityFilterSet
    body_class = SalesBody


class RetailProgramSerializer(Dated):
    class Meta:
        model = RetailProgram
        fields = ["id", "edc", "code", "name", "status", "kind", "pays_for", "bars_wholesale", "tariff", "valid_from", "valid_until"]


@example(
    {
        "edc": "jcpl",
        "code": "NEM",
        "name": "Net metering",
        "kind": "net_metering",
        "pays_for": ["energy"],
        "tariff": "BPU No. 12, sheet 34",
        "valid_from": "2027-06-01",
    }
)
class RetailProgramBody(serializers.Serializer):
    """Terms of a program, as a draft; another person puts them in force."""

    edc = serializers.SlugField(help_text="the utility's slug")
    code = serializers.CharField(max_length=40, help_text="as filings name it")
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=RetailProgram.Kind.choices)
    pays_for = serializers.ListField(child=serializers.SlugField(max_length=60), required=False, help_text="codes of services")
    bars_wholesale = serializers.BooleanField(required=False, help_text="whether participants may not offer in a wholesale market")
    tariff = serializers.CharField(max_length=200, help_text="where the terms stand")
    valid_from = serializers.DateField(help_text="the first day of the terms")
    valid_until = serializers.DateField(required=False, allow_null=True, help_text="the first day without them; left out: none")

    def terms(self, held: RetailProgram | None = None) -> dict:
        """What the services take; days that are not given are those of the draft."""
        given = dict(self.validated_data)
        before = held.valid_during if held else DateRange(None, None)
        first, last = given.pop("valid_from", before.lower), given.pop("valid_until", before.upper)
        if last is not None and last <= first:
            raise ValidationError({"valid_until": ["The terms end after they begin."]})
        return given | {"valid_during": DateRange(first, last)}


class RetailPrograms(Versioned, Moves):
    """Tariffs and retail programs of utilities with their terms: drafted by one person, put in force by another."""

    model = RetailProgram
    serializer_class = RetailProgramSerializer
    filterset_class = RetailProgramFilterSet
    lookup_field, lookup_value_converter = "pk", "int"
    moves = {"approve": Reason, "withdraw": Reason}

    @extend_schema(request=RetailProgramBody, responses={201: RetailProgramSerializer}, summary="Draft terms of a program")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, programs.PERMISSION)
        body = RetailProgramBody(data=request.data)
        body.is_valid(raise_exception=True)
        terms = body.terms()
        edc = Organization.objects.filter(slug=terms.pop("edc"), kind=Organization.Kind.EDC, is_active=True).first()
        if edc is None:
            raise ValidationError({"edc": ["There is no utility of this slug."]})
        return self.answer(programs.draft(actor=request.user, edc=edc, **terms), status=201)

    @extend_schema(request=RetailProgramBody(partial=True), responses=RetailProgramSerializer, summary="Change a draft; the utility stays")
    def partial_update(self, request, **kwargs) -> Response:
        program = self.get_object()
        policy.require(request.user, programs.PERMISSION, program)
        body = RetailProgramBody(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        terms = {name: value for name, value in body.terms(program).items() if name != "edc"}
        with transaction.atomic():
            programs.change(actor=request.user, program=self.require_match(program), **terms)
        return self.answer(self.get_object())

    def perform(self, actor, obj: RetailProgram, name: str, **said) -> None:
        programs.move(actor=actor, program=obj, name=name, **said)


class AffiliationSerializer(Dated):
    aggregator = slug_of("aggregator", "the aggregator's slug")

    class Meta:
        model = Affiliation
        fields = ["id", "aggregator", "edc", "source", "valid_from", "valid_until"]


@example({"aggregator": "kittatinny", "edc": "jcpl", "valid_from": "2027-01-01", "source": "Form 60 of 2026"})
class AffiliationBody(Days):
    """An aggregator that is an affiliate of a utility."""

    aggregator = serializers.SlugField(help_text="the aggregator's slug")
    source = serializers.CharField(max_length=200, help_text="where it is from, such as a filing of the utility")

    def validate_aggregator(self, slug: str) -> Organization:
        """The aggregator."""
        return organization_of("aggregator", slug, Organization.Kind.AGGREGATOR)


@extend_schema_view(create=extend_schema(request=AffiliationBody, responses={201: AffiliationSerializer}, summary="Add an affiliation"))
class Affiliations(Ending):
    """Aggregators that are affiliates of a utility."""

    model = Affiliation
    serializer_class = AffiliationSerializer
    body_class = AffiliationBody
