"""Columns of the list of consents."""

from django.urls import reverse

from moc.portal import Column, Table
from registry.participants.models import Consent

CONSENT_TABLE = Table(
    caption="Consents",
    url=lambda row: reverse("registry:consent_detail", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No consents",
    columns=(
        Column("aggregator__name", "To"),
        Column("status", "Status", kind="status", choices=Consent.Status),
        Column("scopes", "To what", value=lambda row: ", ".join(Consent.Scope(scope).label for scope in row["scopes"]), needs=("scopes",)),
        Column("purpose", "What for"),
        Column("granted_on", "From"),
        Column("expires_on", "Until"),
        Column("edc__name", "Utility"),
    ),
)
