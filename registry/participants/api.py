"""API: organisations within reach and their contacts, and the utilities of the registry."""

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from moc.access import policy, presence
from moc.access.models import Organization
from moc.portal.paging import Sort
from moc.rest.conditions import idempotent
from moc.rest.resources import Resource, Versioned
from moc.rest.serializers import Flat, example, slug_of
from moc.vault.models import SealedFacts
from registry.participants import services
from registry.participants.filters import ContactFilterSet
from registry.participants.models import UTILITY_FACTS, Contact, UtilityPeriod, UtilityProfile
from registry.participants.services import REVEALING


def organization_of(name: str, slug: str, kind: str) -> Organization:
    """The active organisation of a kind with a slug; a ValidationError of the field without one."""
    found = Organization.objects.filter(slug=slug, kind=kind, is_active=True).first()
    if found is None:
        raise ValidationError({name: ["There is none of this slug."]})
    return found


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
        fields = ["id", "eia_id", "name", *UTILITY_FACTS, "annual_mwh", "annual_mwh_year"]


class UtilityPeriodSerializer(serializers.Serializer):
    """A utility's profile on some days."""

    valid_from = serializers.DateField(source="valid_during.lower", allow_null=True)
    valid_until = serializers.DateField(source="valid_during.upper", allow_null=True, help_text="the first day without it")
    ownership = serializers.ChoiceField(choices=UtilityProfile.Ownership.choices)
    nerc_region = serializers.CharField(allow_blank=True)
    balancing_authority = serializers.CharField()
    tso = slug_of("tso", "the transmission operator's slug", allow_null=True)


class ProfileFacts(serializers.Serializer):
    """What a profile says that holds on days."""

    ownership = serializers.ChoiceField(choices=UtilityProfile.Ownership.choices)
    nerc_region = serializers.CharField(max_length=8, required=False, allow_blank=True)
    balancing_authority = serializers.CharField(max_length=8, help_text="EIA code, such as PJM or NYIS")
    tso = serializers.SlugField(required=False, allow_null=True, help_text="the transmission operator's slug")

    def validate_tso(self, slug: str | None) -> Organization | None:
        """The transmission operator."""
        return organization_of("tso", slug, Organization.Kind.TSO) if slug else None


@example({"edc": "ace", "eia_id": 963, "ownership": "investor_owned", "balancing_authority": "PJM", "tso": "pjm"})
class ProfileBody(ProfileFacts):
    """A utility that takes part from now on."""

    edc = serializers.SlugField(help_text="the utility's slug")
    eia_id = serializers.IntegerField(min_value=1)

    def validate_edc(self, slug: str) -> Organization:
        """The utility."""
        return organization_of("edc", slug, Organization.Kind.EDC)


@example({"valid_from": "2027-06-01", "tso": "pjm", "balancing_authority": "PJM"})
class ProfileChange(ProfileFacts):
    """What is otherwise from a day on, until the next change on record."""

    valid_from = serializers.DateField(help_text="any day; left out: today")


class Utilities(Versioned):
    """Distribution utilities that take part in the registry, by EIA id: whom a filing can name in utility_id_eia."""

    model = UtilityProfile
    serializer_class = UtilitySerializer
    sorts = (Sort("eia_id", ("eia_id",)),)
    lookup_field, lookup_value_converter = "eia_id", "int"
    tag_by_content = True

    def tag(self, obj: UtilityProfile, content: dict) -> str:
        """What begins on a day to come is another version too."""
        periods = UtilityPeriod.history.model.objects.filter(edc=obj.edc_id).order_by("-history_id")
        return super().tag(obj, content | {"periods": periods.values_list("history_id", flat=True).first()})

    @extend_schema(request=ProfileBody, responses={201: UtilitySerializer}, summary="Add a utility's profile")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, services.PROFILES)
        body = ProfileBody(data=request.data)
        body.is_valid(raise_exception=True)
        return self.answer(services.add_profile(actor=request.user, **body.validated_data), status=201)

    @extend_schema(request=ProfileChange(partial=True), responses=UtilitySerializer, summary="Change a profile from a day on")
    def partial_update(self, request, **kwargs) -> Response:
        profile = self.get_object()
        policy.require(request.user, services.PROFILES, profile)
        body = ProfileChange(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        with transaction.atomic():
            held = self.require_match(profile)
            services.change_profile(actor=request.user, profile=held, starts_on=given.pop("valid_from", None), **given)
        return self.answer(self.get_object())

    @extend_schema(responses=UtilityPeriodSerializer(many=True), summary="The profile by day, from its first change on")
    @action(detail=True, filterset_class=None, pagination_class=None, keeps_versions=False)
    def periods(self, request, **kwargs) -> Response:
        rows = self.get_object().edc.utility_periods.select_related("tso")
        return Response(UtilityPeriodSerializer(rows, many=True).data)


class ContactSerializer(Flat):
    """A contact by purpose; name, e-mail and telephone are shown where they are asked for with a purpose."""

    organization = slug_of("organization")
    valid_from = serializers.DateField(source="valid_during.startswith", allow_null=True)
    valid_until = serializers.DateField(source="valid_during.endswith", allow_null=True, help_text="the first day without it")

    class Meta:
        model = Contact
        fields = ["id", "organization", "purpose", "valid_from", "valid_until"]


@example({"purpose": "cyber", "phone": "+1 609 555 0199"})
class ContactFacts(serializers.Serializer):
    """Whom to call, for what, when; name, e-mail and telephone are kept encrypted. What is left out of a change stays."""

    purpose = serializers.ChoiceField(choices=Contact.Purpose.choices)
    name = serializers.CharField(max_length=120)
    email = serializers.EmailField(required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_until = serializers.DateField(required=False, allow_null=True, help_text="the first day without it")

    def filled(self, contact: Contact) -> dict[str, str]:
        """Set what was given on the contact, not saved; returns the personal values that were given."""
        given, days = self.validated_data, contact.valid_during
        contact.purpose = given.get("purpose", contact.purpose)
        contact.valid_during = services.days(given.get("valid_from", days.lower), given.get("valid_until", days.upper))
        return {name: given[name] for name in Contact.personal if name in given}


@example({"purpose": "operations", "name": "Control room", "phone": "+1 609 555 0100"})
class NamedContact(ContactFacts):
    """A new contact."""

    organization = serializers.SlugField(required=False, default="", help_text="the organisation's slug; needed by those with several")


class ContactInFull(serializers.Serializer):
    """A contact in full."""

    name = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)


class Contacts(Versioned):
    """Whom to call at the organisations within your reach, and, of the contacts of today, at those that you have to do with: by filings and
    notices of intent, as a member of an RTO, by registration or oversight."""

    model = Contact
    serializer_class = ContactSerializer
    filterset_class = ContactFilterSet
    lookup_field, lookup_value_converter = "pk", "int"

    def mine(self) -> Contact:
        """The contact, which the user keeps."""
        contact = self.get_object()
        policy.require(self.request.user, services.CONTACTS, contact.organization)
        return contact

    @extend_schema(request=NamedContact, responses={201: ContactSerializer}, summary="Name a contact")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, services.CONTACTS)
        body = NamedContact(data=request.data)
        body.is_valid(raise_exception=True)
        slug = body.validated_data["organization"]
        mine = Organization.objects.filter(pk__in=policy.reach(request.user, services.CONTACTS), is_active=True)
        found = list(mine.filter(slug=slug) if slug else mine[:2])
        if len(found) != 1:
            raise ValidationError({"organization": ["Name one of yours by its slug."]})
        contact = Contact(organization=found[0])
        return self.answer(self._saved(contact, body, "Named a contact"), status=201)

    def _saved(self, contact: Contact, body: ContactFacts, reason: str) -> Contact:
        return services.save_contact(actor=self.request.user, contact=contact, values=body.filled(contact), reason=reason)

    @extend_schema(request=ContactFacts(partial=True), responses=ContactSerializer, summary="Change a contact")
    def partial_update(self, request, **kwargs) -> Response:
        contact = self.mine()
        body = ContactFacts(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            self._saved(self.require_match(contact), body, "Changed a contact")
        return self.answer(self.get_object())

    @extend_schema(responses={204: None}, summary="Take a contact out for good")
    def destroy(self, request, **kwargs) -> Response:
        contact = self.mine()
        with transaction.atomic():
            services.remove_contact(actor=request.user, contact=self.require_match(contact))
        return Response(status=204)

    @extend_schema(request=Purpose, responses=ContactInFull, summary="A contact in full, for a purpose")
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None, keeps_versions=False)
    def reveal(self, request, **kwargs) -> Response:
        return revealed(request, self.get_object())
