"""Registrations in the workplace: read by auditors, and decided by the regulator; suspensions are lifted there too."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from registry.aggregators.models import (
    AggregatorRegistration,
    AgreementSignature,
    Certification,
    Officer,
    RtoMembership,
    Suspension,
)
from registry.aggregators.services import registering, standing
from registry.participants.admin import SEALED, masked_column


class OfAggregatorAdmin(RecordAdmin):
    """A part of an aggregator's registration."""

    list_filter = (("aggregator", ScopedFilter),)
    list_select_related = ("aggregator",)


@admin.register(AggregatorRegistration)
class AggregatorRegistrationAdmin(OfAggregatorAdmin):
    hidden = SEALED
    list_display = ("aggregator", "status", "rerra", "registered_on", "tax_id")
    list_filter = ("status", ("rerra", ScopedFilter))
    list_select_related = ("aggregator", "rerra")
    moves = ("register", "return")
    tax_id = masked_column("tax_id", "Tax id")

    def move_service(self, *, actor, rows, name, reason) -> None:
        for registration in rows.select_related("aggregator", "rerra"):
            registering.move(actor=actor, registration=registration, name=name, reason=reason)


@admin.register(Officer)
class OfficerAdmin(OfAggregatorAdmin):
    hidden = SEALED
    list_display = ("aggregator", "title", "signs", "name", "email", "phone")
    name, email, phone = (masked_column(column, column.capitalize()) for column in Officer.personal)


@admin.register(Certification)
class CertificationAdmin(OfAggregatorAdmin):
    list_display = ("aggregator", "kind", "issuer", "expires_on", "withdrawn_on")
    list_filter = ("kind", ("aggregator", ScopedFilter))


@admin.register(RtoMembership)
class RtoMembershipAdmin(OfAggregatorAdmin):
    list_display = ("aggregator", "tso", "member_no", "valid_during")
    list_select_related = ("aggregator", "tso")


@admin.register(AgreementSignature)
class AgreementSignatureAdmin(OfAggregatorAdmin):
    list_display = ("aggregator", "version", "signed_by", "signed_as", "signed_at", "text_sha256")
    list_select_related = ("aggregator", "signed_by", "agreement")


@admin.register(Suspension)
class SuspensionAdmin(OfAggregatorAdmin):
    list_display = ("aggregator", "level", "authority", "reason", "status", "imposed_at", "lifted_at")
    list_filter = ("status", "level", "reason")
    list_select_related = ("aggregator", "authority")
    moves = ("reinstate",)

    def move_service(self, *, actor, rows, name, reason) -> None:
        for suspension in rows.select_related("aggregator", "authority"):
            standing.reinstate(actor=actor, suspension=suspension, reason=reason)
