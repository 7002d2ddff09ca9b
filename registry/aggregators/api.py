"""API: registrations of aggregators with their parts and agreement, and suspensions."""

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response

from moc.access import policy, presence
from moc.access.models import Organization
from moc.rest.conditions import idempotent
from moc.rest.letters import letter
from moc.rest.resources import Moves, Versioned
from moc.rest.schema import MATCHED
from moc.rest.serializers import Flat, Reason, example, slug_of
from registry.aggregators import reports
from registry.aggregators.filters import RegistrationFilterSet, SuspensionFilterSet
from registry.aggregators.models import AggregatorRegistration, Certification, Suspension
from registry.aggregators.services import parts, registering, standing
from registry.aggregators.views import AgreementLetter, SuspensionLetter
from registry.participants.api import Purpose, organization_of
from registry.participants.models import Contact

COMPANY = ("legal_form", "formed_in", "address", "website")


def acting_for(user, permission: str, slug: str = "") -> Organization:
    """The organisation for which the user does it: the only one, or the one that is named."""
    mine = Organization.objects.filter(pk__in=policy.reach(user, permission), is_active=True)
    found = list(mine.filter(slug=slug) if slug else mine[:2])
    if not mine:
        raise policy.NotPermitted("You may not do this for any organization.")
    if len(found) != 1:
        raise ValidationError({"organization": ["Name one of yours by its slug."]})
    return found[0]


class RegistrationSerializer(Flat):
    """`tax_id` is never shown here."""

    id = serializers.UUIDField(source="uuid")
    aggregator = slug_of("aggregator")
    rerra = slug_of("rerra", "the regulator's slug")
    website = serializers.CharField(allow_blank=True)

    class Meta:
        model = AggregatorRegistration
        fields = ["id", "status", "aggregator", "rerra", *COMPANY, "registered_on"]


@example({"rerra": "njbpu", "legal_form": "LLC", "formed_in": "NJ", "address": "1 Main Street, Trenton"})
class RegistrationBody(serializers.Serializer):
    """The company's facts."""

    rerra = serializers.SlugField(help_text="the regulator's slug")
    legal_form = serializers.CharField(max_length=60, required=False)
    formed_in = serializers.CharField(max_length=2, required=False, help_text="state of formation")
    address = serializers.CharField(max_length=300, required=False)
    website = serializers.URLField(max_length=200, required=False)
    tax_id = serializers.CharField(max_length=20, required=False, help_text="kept encrypted; never shown again here")

    def facts(self) -> dict:
        """What the service takes."""
        given = dict(self.validated_data)
        return given | ({"rerra": organization_of("rerra", given["rerra"], Organization.Kind.RERRA)} if "rerra" in given else {})


@example({"title": "Chief executive", "name": "Ada Example", "email": "ada@example.org", "signs": True})
class OfficerBody(serializers.Serializer):
    """An officer; name, e-mail and telephone are kept encrypted."""

    title = serializers.CharField(max_length=80)
    name = serializers.CharField(max_length=120)
    email = serializers.EmailField(required=False, default="")
    phone = serializers.CharField(max_length=40, required=False, default="")
    signs = serializers.BooleanField(required=False, default=False, help_text="may sign for the company")


@example({"purpose": "operations", "name": "Control room", "phone": "+1 609 555 0100"})
class ContactBody(serializers.Serializer):
    """A contact; name, e-mail and telephone are kept encrypted."""

    purpose = serializers.ChoiceField(choices=Contact.Purpose.choices)
    name = serializers.CharField(max_length=120)
    email = serializers.EmailField(required=False, default="")
    phone = serializers.CharField(max_length=40, required=False, default="")


class CertificationBody(serializers.Serializer):
    """A certification with its evidence (multipart)."""

    kind = serializers.ChoiceField(choices=Certification.Kind.choices)
    issuer = serializers.CharField(max_length=120)
    number = serializers.CharField(max_length=60, required=False, default="")
    expires_on = serializers.DateField(help_text="the last day on which it is valid")
    evidence = serializers.FileField()


@example({"tso": "pjm", "member_no": "M-1042", "starts_on": "2027-06-01"})
class MembershipBody(serializers.Serializer):
    """Membership of an RTO."""

    tso = serializers.SlugField(help_text="the RTO's slug")
    member_no = serializers.CharField(max_length=40)
    starts_on = serializers.DateField()


class RegistrationPartSerializer(serializers.Serializer):
    """A part of a registration as labelled values; personal ones are masked."""

    id = serializers.IntegerField(help_text="by which the part is ended")
    facts = serializers.DictField(child=serializers.CharField(allow_null=True))


class AgreementSerializer(serializers.Serializer):
    """The agreement in force, and the signature under it."""

    version = serializers.CharField()
    text = serializers.CharField()
    sha256 = serializers.CharField()
    signed_at = serializers.DateTimeField(allow_null=True)
    signed_as = serializers.CharField(allow_null=True)


@example({"version": "2026-1", "signed_as": "Chief executive"})
class SignatureBody(serializers.Serializer):
    """A person's signature for the aggregator, which attests compliance."""

    version = serializers.CharField(max_length=40, help_text="of the agreement in force")
    signed_as = serializers.CharField(max_length=120, help_text="the person's office")


class ObstacleSerializer(serializers.Serializer):
    """Why the aggregator may not file."""

    code = serializers.CharField()
    sentence = serializers.CharField()
    remedy = serializers.CharField()


class RevealedPart(serializers.Serializer):
    """Personal values of a registration in full: the company's, an officer's or a contact's."""

    title = serializers.CharField()
    facts = serializers.DictField(child=serializers.CharField(allow_blank=True))


BODIES = {"officers": OfficerBody, "contacts": ContactBody, "certifications": CertificationBody, "memberships": MembershipBody}


class AggregatorRegistrations(Versioned, Moves):
    """Registrations of aggregators within your reach."""

    model = AggregatorRegistration
    serializer_class = RegistrationSerializer
    filterset_class = RegistrationFilterSet
    moves = dict.fromkeys(AggregatorRegistration.lifecycle.transitions, Reason)

    def get_parsers(self) -> list:
        with_file = self.request and self.request.method == "POST" and self.action_map.get("post") == "add_certification"
        return [MultiPartParser()] if with_file else [JSONParser()]

    @extend_schema(request=RegistrationBody, responses={201: RegistrationSerializer}, summary="Begin the registration")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        aggregator = acting_for(request.user, registering.WRITES)
        body = RegistrationBody(data=request.data)
        body.is_valid(raise_exception=True)
        return self.answer(registering.start(actor=request.user, aggregator=aggregator, **body.facts()), status=201)

    @extend_schema(request=RegistrationBody(partial=True), responses=RegistrationSerializer, summary="Change the company's facts")
    def partial_update(self, request, **kwargs) -> Response:
        registration = self.mine()
        body = RegistrationBody(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            registering.change(actor=request.user, registration=self.require_match(registration), **body.facts())
        return self.answer(self.get_object())

    def mine(self) -> AggregatorRegistration:
        """The registration, which the user writes."""
        registration = self.get_object()
        policy.require(self.request.user, registering.WRITES, registration.aggregator)
        return registration

    def perform(self, actor, obj: AggregatorRegistration, name: str, **said) -> None:
        registering.move(actor=actor, registration=obj, name=name, **said)

    def _parts(self, kind: str, aggregator: Organization) -> dict:
        """The parts of a kind, masked, and the latest of their versions, which tells more than the masks."""
        rows = parts.rows(kind, aggregator)
        told = [
            {"id": row.pk, "facts": {label: None if value is None else str(value) for label, value in reports.part_facts(row)}}
            for row in rows
        ]
        return {"content": RegistrationPartSerializer(told, many=True).data, "version": parts.latest_version(rows)}

    def _shown(self, kind: str, status: int = 200) -> Response:
        return self.answer_below(**self._parts(kind, self.get_object().aggregator), status=status)

    def _add(self, kind: str) -> Response:
        aggregator = self.mine().aggregator
        body = BODIES[kind](data=self.request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        if "tso" in given:
            given["tso"] = organization_of("tso", given["tso"], Organization.Kind.TSO)
        parts.add(actor=self.request.user, aggregator=aggregator, part=kind, **given)
        return self._shown(kind, 201)

    @extend_schema(request=Purpose, responses=RevealedPart(many=True), summary="Tax id, officers and contacts in full, for a purpose")
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None, keeps_versions=False)
    def reveal(self, request, **kwargs) -> Response:
        presence.demand(request)
        body = Purpose(data=request.data)
        body.is_valid(raise_exception=True)
        said = {"purpose": body.validated_data["purpose"], "text": body.validated_data["note"]}
        found = parts.reveal(actor=request.user, registration=self.get_object(), **said)
        told = [{"title": title, "facts": {label: value for label, value, *_ in facts}} for title, facts in found]
        return Response(RevealedPart(told, many=True).data, headers={"Cache-Control": "no-store"})

    @extend_schema(responses=RegistrationPartSerializer(many=True), summary="The officers, masked")
    @action(detail=True, filterset_class=None, pagination_class=None, keeps_versions=False)
    def officers(self, request, **kwargs) -> Response:
        return self._shown("officers")

    @extend_schema(request=OfficerBody, responses={201: RegistrationPartSerializer(many=True)}, summary="Name an officer")
    @officers.mapping.post
    @idempotent
    def add_officer(self, request, **kwargs) -> Response:
        return self._add("officers")

    @extend_schema(responses=RegistrationPartSerializer(many=True), summary="The contacts by purpose, masked")
    @action(detail=True, filterset_class=None, pagination_class=None, keeps_versions=False)
    def contacts(self, request, **kwargs) -> Response:
        return self._shown("contacts")

    @extend_schema(request=ContactBody, responses={201: RegistrationPartSerializer(many=True)}, summary="Name a contact")
    @contacts.mapping.post
    @idempotent
    def add_contact(self, request, **kwargs) -> Response:
        return self._add("contacts")

    @extend_schema(responses=RegistrationPartSerializer(many=True), summary="The certifications")
    @action(detail=True, filterset_class=None, pagination_class=None, keeps_versions=False)
    def certifications(self, request, **kwargs) -> Response:
        return self._shown("certifications")

    @extend_schema(
        request={"multipart/form-data": CertificationBody}, responses={201: RegistrationPartSerializer(many=True)}, summary="Add one"
    )
    @certifications.mapping.post
    @idempotent
    def add_certification(self, request, **kwargs) -> Response:
        return self._add("certifications")

    @extend_schema(responses=RegistrationPartSerializer(many=True), summary="The RTO memberships")
    @action(detail=True, filterset_class=None, pagination_class=None, keeps_versions=False)
    def memberships(self, request, **kwargs) -> Response:
        return self._shown("memberships")

    @extend_schema(request=MembershipBody, responses={201: RegistrationPartSerializer(many=True)}, summary="Join an RTO")
    @memberships.mapping.post
    @idempotent
    def add_membership(self, request, **kwargs) -> Response:
        return self._add("memberships")

    @extend_schema(
        request=None,
        responses={204: None},
        parameters=[MATCHED],
        summary="Take an officer or contact out, withdraw a certification, leave an RTO",
    )
    @action(detail=True, methods=["post"], url_path="<slug:kind>/<int:part>/end", url_name="end-part")
    @idempotent
    def end_part(self, request, kind: str, part: int, **kwargs) -> Response:
        """If-Match names the list of that kind: the ETag of officers/, contacts/, certifications/ or memberships/."""
        registration = self.mine()
        found = next((row for row in parts.rows(kind, registration.aggregator) if row.pk == part), None) if kind in BODIES else None
        if found is None:
            raise Http404
        with transaction.atomic():
            self.hold(registration)
            self.require_match_below(**self._parts(kind, registration.aggregator))
            parts.end(actor=request.user, kind=kind, part=found)
        return Response(status=204)

    letter = letter(AgreementLetter, "The agreement as it was signed last, as PDF")

    @extend_schema(responses=AgreementSerializer, summary="The participation agreement in force, and its signature")
    @action(detail=True, filterset_class=None, pagination_class=None, keeps_versions=False)
    def agreement(self, request, **kwargs) -> Response:
        return self._agreement()

    def _agreement(self, status: int = 200) -> Response:
        text, signed = reports.agreement(), reports.signature(self.get_object().aggregator_id)
        given = {"version": text.version, "text": text.text, "sha256": text.digest}
        return Response(given | {name: getattr(signed, name, None) for name in ("signed_at", "signed_as")}, status=status)

    @extend_schema(request=SignatureBody, responses={201: AgreementSerializer}, summary="Sign it, as a person, for the aggregator")
    @agreement.mapping.post
    @idempotent
    def sign(self, request, **kwargs) -> Response:
        registration = self.mine()
        presence.demand(request)
        body = SignatureBody(data=request.data)
        body.is_valid(raise_exception=True)
        registering.sign(actor=request.user, aggregator=registration.aggregator, **body.validated_data)
        return self._agreement(201)

    @extend_schema(responses=ObstacleSerializer(many=True), summary="What keeps the aggregator from filing now; empty when nothing does")
    @action(detail=True, filterset_class=None, pagination_class=None, keeps_versions=False)
    def obstacles(self, request, **kwargs) -> Response:
        return Response(ObstacleSerializer(reports.obstacles(self.get_object().aggregator), many=True).data)


class SuspensionSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    aggregator = slug_of("aggregator")
    authority = slug_of("authority", "who imposed it")

    class Meta:
        model = Suspension
        fields = ["id", "status", "aggregator", "authority", "level", "reason", "statement", "imposed_at", "lifted_at"]


@example({"aggregator": "kittatinny", "reason": "breach", "statement": "The attestation was false."})
class SuspensionBody(serializers.Serializer):
    """A suspension at the level of your organisation; a threat to reliability is shown with its evidence (multipart)."""

    aggregator = serializers.SlugField(help_text="the aggregator's slug")
    authority = serializers.SlugField(required=False, default="", help_text="for whom; needed by those who act for several")
    reason = serializers.ChoiceField(choices=Suspension.Reason.choices)
    statement = serializers.CharField(max_length=2000)
    evidence = serializers.FileField(required=False, default=None, help_text="the aggregator may read it")


class Suspensions(Versioned, Moves):
    """Suspensions of aggregators within your reach."""

    model = Suspension
    serializer_class = SuspensionSerializer
    filterset_class = SuspensionFilterSet
    moves = {"reinstate": Reason}
    letter = letter(SuspensionLetter, "The suspension as PDF, from the authority to the aggregator")

    def get_parsers(self) -> list:
        with_file = self.request and self.request.method == "POST" and self.action_map.get("post") == "create"
        return [JSONParser(), MultiPartParser()] if with_file else [JSONParser()]

    @extend_schema(
        request={"application/json": SuspensionBody, "multipart/form-data": SuspensionBody},
        responses={201: SuspensionSerializer},
        summary="Suspend an aggregator",
    )
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, standing.PERMISSION)
        presence.demand(request)
        body = SuspensionBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        authority = acting_for(request.user, standing.PERMISSION, given.pop("authority"))
        given["aggregator"] = organization_of("aggregator", given["aggregator"], Organization.Kind.AGGREGATOR)
        return self.answer(standing.suspend(actor=request.user, authority=authority, **given), status=201)

    def perform(self, actor, obj: Suspension, name: str, **said) -> None:
        standing.reinstate(actor=actor, suspension=obj, **said)
