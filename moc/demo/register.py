"""The aggregators of the demonstration register with New Jersey's regulator, through the services; all of it is invented."""

from datetime import timedelta

from django.core.files.base import ContentFile
from django.utils import timezone

from moc.access.models import Organization, User
from moc.demo.parties import AGGREGATORS, Party
from moc.demo.people import address
from registry.aggregators import reports
from registry.aggregators.models import AggregatorRegistration
from registry.aggregators.services import parts, registering

REGULATOR = Party("NJBPU", "rerra", "", "")
COMPANY = {"legal_form": "LLC", "formed_in": "NJ", "address": "1 State Street, Trenton, NJ 08608"}


def register(organizations: dict[str, Organization]) -> None:
    """One registration for each aggregator that has none; decided by the regulator's administrator."""
    known = set(AggregatorRegistration.objects.values_list("aggregator_id", flat=True))
    decider = User.objects.get(email=address(REGULATOR, "administrator"))
    for number, party in enumerate(AGGREGATORS):
        aggregator = organizations[party.code]
        if aggregator.pk not in known:
            registration = _register(aggregator, organizations, User.objects.get(email=address(party, "administrator")), number)
            registering.move(actor=decider, registration=registration, name="register")


def _register(aggregator: Organization, organizations: dict[str, Organization], actor: User, number: int) -> AggregatorRegistration:
    by = {"actor": actor, "aggregator": aggregator}
    made = registering.start(**by, rerra=organizations["NJBPU"], tax_id=f"00-000000{number}", **COMPANY)
    registering.add_officer(**by, title="Chief executive", signs=True, name=f"Officer of {aggregator}")
    for purpose in reports.PURPOSES:
        desk = f"{purpose}@{aggregator.slug}.example.org"
        parts.add(**by, part="contacts", purpose=purpose, name=f"{purpose.label} desk", email=desk, phone="+1 609 555 0100")
    soon, later = timezone.localdate() + timedelta(days=30), timezone.localdate() + timedelta(days=700)
    for kind, last in (("licence", later), ("cyber", soon if number == 0 else later)):
        evidence = ContentFile(b"A certificate (generated).\n", name=f"{kind}.txt")
        registering.add_certification(**by, kind=kind, issuer="Certifier (invented)", expires_on=last, evidence=evidence)
    registering.add_membership(**by, tso=organizations["PJM"], member_no=f"DEMO-{number + 1}", starts_on=timezone.localdate())
    registering.sign(**by, version=reports.agreement().version, signed_as="Chief executive")
    registering.move(actor=actor, registration=made, name="submit")
    made.refresh_from_db()
    return made
