"""The part of the access matrix's scene that is about participants."""

from datetime import timedelta

from django.core.files.base import ContentFile
from django.db import models
from django.utils import timezone

from moc.access.models import Organization
from registry.aggregators.models import AggregatorRegistration, AgreementSignature
from registry.aggregators.services import parts, registering, standing
from registry.customers.models import OwnerAccount, PersonalUse
from registry.ders.models import Der
from registry.jurisdictions.models import Affiliation, AnnualSales, Jurisdiction, RetailProgram
from registry.participants.models import Consent, UtilityPeriod
from registry.rosters import services as rosters
from registry.rosters.models import RosterEntry, RosterFinding
from tests.factories.world import World


def owned(world: World, der: Der) -> dict[str, models.Model]:
    """The user without a seat owns the DER, consents and keeps a reserve; the utility's reference data."""
    parties = {"owner": der.owner, "edc": world.edc}
    days = ("2026-01-01", None)
    made = {
        "owner_account": OwnerAccount.objects.create(user=world.nobody, **parties),
        "consent": Consent.objects.create(
            **parties, aggregator=world.aggregator, scopes=["contact", "market"], purpose="Tests", by_owner=True
        ),
        "personal_use": PersonalUse.objects.create(der=der, edc=world.edc, kind="reserve", reserve_percent=20),
        "jurisdiction": Jurisdiction.objects.create(rerra=world.rerra, edc=world.edc, county=world.counties[0], valid_during=days),
        "sales": AnnualSales.objects.create(edc=world.edc, year=2018, sales_mwh=20_000_000, source="tests"),
        "affiliation": Affiliation.objects.create(aggregator=world.aggregator, edc=world.edc, valid_during=days, source="tests"),
        "program": RetailProgram.objects.create(
            edc=world.edc, code="NEM", name="NEM", kind="net_metering", tariff="T-1", valid_during=days
        ),
    }
    facts = {"ownership": "investor_owned", "balancing_authority": "PJM", "tso": world.tso}
    made["utility_period"] = UtilityPeriod.objects.create(edc=world.edc, valid_during=(None, None), **facts)
    made["roster"] = rosters.give(actor=None, edc=world.edc, program="DR", accounts=["A-1"])
    made |= {"roster_entry": RosterEntry.objects.get(), "roster_finding": RosterFinding.objects.get()}
    for one in made.values():
        one.refresh_from_db()
    return made


def objects(world: World, newcomer: Organization) -> dict[str, models.Model]:
    """The aggregator's registration with its parts, a newcomer's under review; who is suspended; the second aggregator has none."""
    AggregatorRegistration.objects.filter(aggregator=world.aggregator2).delete()
    by, soon = {"actor": None, "aggregator": world.aggregator}, timezone.localdate() + timedelta(days=90)
    registration = AggregatorRegistration.objects.select_related("aggregator", "rerra").get(aggregator=world.aggregator)
    registering.change(actor=None, registration=registration, tax_id="12-3456789")
    waiting = AggregatorRegistration.objects.create(aggregator=newcomer, rerra=world.rerra)
    AggregatorRegistration.objects.filter(pk=waiting.pk).update(status="submitted")
    evidence = ContentFile(b"A certificate", name="certificate.txt")
    suspended = {"aggregator": newcomer, "authority": world.edc, "reason": "data", "statement": "Customers' data were published."}
    made = {
        "registration": registration,
        "registration_waiting": waiting,
        "officer": registering.add_officer(**by, title="Chief executive", signs=True, name="An officer"),
        "certification": registering.add_certification(**by, kind="licence", issuer="A board", expires_on=soon, evidence=evidence),
        "membership": registering.add_membership(**by, tso=world.tso, member_no="M-1", starts_on=timezone.localdate()),
        "market_contact": parts.add(**by, part="contacts", purpose="market", name="A desk"),
        "signature": AgreementSignature.objects.get(aggregator=world.aggregator),
        "suspension": standing.suspend(actor=None, **suspended),
    }
    for one in made.values():
        one.refresh_from_db()
    return made
