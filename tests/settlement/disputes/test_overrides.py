"""A dispute over an override that bars a DER from a service: opened, bundled, determined or settled, with its effect (¶299)."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from moc.errors import Conflict
from moc.history import acting
from registry.aggregations.models import GridService
from registry.prequalification.models import Qualification, QualificationOverride
from registry.prequalification.services import overriding, passes
from settlement.disputes.models import BundleItem, Dispute
from settlement.disputes.services import bundles, determining, levels, opening, settling
from tests.factories.ders import register
from tests.factories.qualification import law

pytestmark = pytest.mark.django_db
SERVICE = "energy"


@pytest.fixture
def barred(world) -> QualificationOverride:
    """The utility bars a DER that qualifies by every rule."""
    law("market_services", [SERVICE])
    (der,) = register(world, 1)
    passes.pull()
    service = GridService.objects.get(pk=SERVICE)
    actor = world.user("edc", "approver")
    return overriding.override(actor=actor, subject=der, service=service, eligible=False, reason="Its feeder is full")


@pytest.fixture
def dispute(world, barred) -> Dispute:
    return opening.open_dispute(actor=world.user("aggregator", "approver"), override=barred, claim="The feeder was reinforced.")


def qualifies(barred: QualificationOverride) -> bool:
    return Qualification.objects.get(der=barred.der_id, service=SERVICE).eligible


def at_rerra(world, dispute: Dispute) -> Dispute:
    return levels.escalate(actor=world.user("aggregator", "approver"), dispute=dispute, name="escalate_to_rerra", reason="No answer")


def drafted(world, dispute: Dispute, outcome: str, **limits):
    return determining.propose(
        actor=world.user("rerra", "auditor"), dispute=dispute, outcome=outcome, reasons="The study shows it.", **limits
    )


def confirmed(world, draft):
    return determining.move(actor=world.user("rerra", "administrator"), determination=draft, name="confirm")


def test_it_is_opened_with_its_bundle(world, barred, dispute):
    assert (dispute.override, dispute.row_id, dispute.review_id, dispute.edc, dispute.tso) == (barred, None, None, world.edc, world.tso)
    sources = set(BundleItem.objects.filter(dispute=dispute).values_list("kind", "source"))
    assert {("record", "registry.QualificationOverride"), ("record", "registry.Der"), ("version", "registry.HistoricalDer")} <= sources
    assert bundles.is_intact(dispute) and dispute.bundle_count == BundleItem.objects.filter(dispute=dispute).count()


def test_only_an_override_that_bars_and_stands_is_disputed_and_once(world, barred, dispute):
    actor = world.user("aggregator", "approver")
    with pytest.raises(Conflict, match="stands already"):
        opening.open_dispute(actor=actor, override=barred, claim="Again.")
    overriding.end_override(actor=world.user("edc", "approver"), override=barred)
    levels.move(actor=actor, dispute=dispute, name="withdraw", reason="It ended")
    with pytest.raises(Conflict, match="override that bars"):
        opening.open_dispute(actor=actor, override=barred, claim="Again.")


def test_a_determination_lets_the_rules_decide_again(world, barred, dispute):
    """Two people of the regulator; no decision of a review comes of it, and history says why the override ended."""
    assert not qualifies(barred)
    made = confirmed(world, drafted(world, at_rerra(world, dispute), "overturned"))
    barred.refresh_from_db()
    dispute.refresh_from_db()
    assert (dispute.status, dispute.outcome, made.decision) == ("determined", "overturned", None)
    assert barred.ended_at is not None and qualifies(barred)
    assert "ended by a dispute" in barred.history.first().history_change_reason


def test_an_override_has_no_limits_and_may_have_ended_meanwhile(world, barred, dispute):
    draft = drafted(world, at_rerra(world, dispute), "varied", export_limit_kw=1)
    with pytest.raises(Conflict, match="has no limits"):
        confirmed(world, draft)
    determining.move(actor=world.user("rerra", "administrator"), determination=draft, name="reject", reason="No limits")
    dispute.refresh_from_db()
    overriding.end_override(actor=world.user("edc", "approver"), override=barred)
    with pytest.raises(Conflict, match="ended already"):
        confirmed(world, drafted(world, dispute, "overturned"))


def test_the_parties_settle_it(world, barred, dispute):
    proposal = settling.propose(actor=world.user("edc", "approver"), dispute=dispute, terms="We measured again.", effect="approve")
    settling.move(actor=world.user("aggregator", "approver"), proposal=proposal, name="accept")
    assert qualifies(barred) and Dispute.objects.get().status == "settled"


def test_a_dispute_has_one_subject(dispute):
    """The database holds it: none, or two, are refused."""
    with pytest.raises(IntegrityError, match="dispute_one_subject"), transaction.atomic(), acting(None, "tests"):
        Dispute.objects.filter(pk=dispute.pk).update(override=None)


def test_the_way_there_is_on_the_checklist_and_in_the_api(world, barred, client_of, api_of):
    client = client_of(world.user("aggregator", "approver"))
    page = reverse("settlement:dispute_override", args=[barred.uuid])
    assert page in client.get(reverse("registry:der_checklist", args=[barred.der.uuid])).content.decode()
    assert (
        page not in client_of(world.user("edc", "approver")).get(reverse("registry:der_checklist", args=[barred.der.uuid])).content.decode()
    )
    made = api_of(world.user("aggregator", "approver")).post(
        "/api/v1/settlement/disputes/", {"override": str(barred.uuid), "claim": "No."}, content_type="application/json"
    )
    assert (made.status_code, made.json()["override"]) == (201, str(barred.uuid)), made.content
    shown = client.get(reverse("settlement:dispute", args=[made.json()["id"]])).content.decode()
    assert "Its feeder is full" in shown
