"""Columns of the list of contacts."""

from django.urls import reverse

from moc.portal import Column, Table
from registry.participants.models import Contact

CONTACT_TABLE = Table(
    caption="Contacts",
    url=lambda row: reverse("registry:contact_detail", args=[row["id"]]),
    needs=("id",),
    empty_title="No contact is named",
    columns=(
        Column("organization__name", "Organization"),
        Column("purpose", "For", choices=Contact.Purpose),
        Column("valid_from", "From", value=lambda row: row["valid_during"].lower, needs=("valid_during",)),
        Column("valid_until", "Until", value=lambda row: row["valid_during"].upper, needs=("valid_during",)),
    ),
)
