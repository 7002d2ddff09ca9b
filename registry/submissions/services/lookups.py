"""Look-up before registration: two facts identify DERs of another party; a wrong fact and an unknown one are answered alike (N12)."""

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Upper

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.accesslog.models import AccessEntry
from moc.accesslog.services import note
from moc.errors import UserError
from moc.middleware import seconds_to_wait
from moc.vault import services as vault
from registry.ders.models import Der
from registry.participants.services import account_index
from registry.submissions.switching import LookUp

MOST, WINDOW = 30, 3_600
FACTS = ("account", "serial_no")


class TooMany(UserError):
    """An aggregator asks more often than anybody needs who has its customers before it."""

    code = "LOOK-UP-RATE"


def look_up(*, actor, aggregator: Organization, edc: Organization, usage_point_id: str, fact: str, value: str) -> LookUp:
    """The DERs at a service point of a utility, if the second fact is right too: the customer's account, or a device's serial number.

    The same statements run whatever is wrong, and the answer is the same; each look-up is written to the access log of the utility and of
    the party whose DER it is. Raises TooMany after MOST in an hour.
    """
    policy.require(actor, "file_ders", aggregator)
    if fact not in FACTS or not value.strip() or not usage_point_id.strip():
        raise UserError("A look-up takes two facts.", "Give the service point, and an account or a serial number.", "LOOK-UP-FACTS")
    wait = seconds_to_wait(f"look-up:{aggregator.pk}", MOST, WINDOW)
    if wait:
        raise TooMany(f"At most {MOST} look-ups in an hour.", f"Try again in {wait} s.")
    with transaction.atomic(), sight.engine():
        index = account_index(vault.ring_of(edc.pk), value.strip())
        second = Q(owner__account_index=index) if fact == "account" else Q(serial=value.strip().upper())
        at_point = Der.objects.registered().filter(edc=edc, service_point__usage_point_id=usage_point_id.strip())
        proven = at_point.annotate(serial=Upper("serial_no")).filter(second).values("service_point")
        ders = list(at_point.filter(service_point__in=proven).select_related("owner").order_by("pk"))
        found = LookUp.objects.create(
            aggregator=aggregator,
            edc=edc,
            actor=actor,
            ders=[{"der": str(der.uuid), "der_type": der.get_der_type_display()} for der in ders],
        )
        first = ders[0] if ders else None
        note(
            actor=actor,
            holder=edc.pk,
            filed_by=first.aggregator_id if first else None,
            record=f"Look-up {found.uuid} by {aggregator}: " + (f"DER {first.uuid}" if first else "nothing identified"),
            subject=first.owner.subject if first and first.owner else None,
            columns=["service point", fact],
            purpose=AccessEntry.Purpose.LOOK_UP,
        )
    return found
