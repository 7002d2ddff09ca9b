"""Deliverability under review: Order 2222 ¶292, R1, O4. A submission's DERs together on their feeder, as evidence, proposals and limits."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from operations.envelopes.models import EnvelopePolicy
from operations.envelopes.services import computing as envelopes
from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.problem import EXPORT
from operations.interconnection.services import base
from operations.interconnection.solver import year
from operations.network.engine.powerflow import PowerFlow
from operations.network.services import building
from operations.outages.models import LogEntry
from operations.screening import tasks
from operations.screening.models import ReviewScreen, ScreenFinding
from operations.screening.services import ordering
from registry.ders.models import Der
from registry.submissions.models import StagedDer
from registry.submissions.services import reviewing
from tests.factories.filings import reviewed, row, store_in
from tests.factories.networks import current, points_of, rows
from tests.factories.world import REASON
from tests.factories.years import SHIPPED

pytestmark = pytest.mark.django_db
PAGES, API, FINDINGS = "/operations/screens/", "/api/v1/operations/review-screens/", "/api/v1/operations/screen-findings/"


@pytest.fixture
def feeder(world, settings, tmp_path):
    """Four points behind one transformer, with a network."""
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()
    envelopes._machine.cache_clear()
    feeder = world.feeders["edc"][0]
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, robust=False)
    current(world, feeder, rows(points_of(feeder)[:4], metres=60))
    return feeder


def review_of(world, feeder, kw: float = 15, count: int = 3, **more):
    """DERs under review, the first of them behind the first points; what their sum asks for is too much."""
    facts = {"nameplate_ac_kw": str(kw), "rated_kva": str(kw), "approved_export_kw": str(kw)} | more
    return reviewed(world, [row(n + 1, usage_point_id=point, **facts) for n, point in enumerate(points_of(feeder)[:count])])


def screened(review) -> ReviewScreen:
    (screen,) = ordering.due()
    tasks.screen(screen.job_id or ReviewScreen.objects.get(pk=screen.pk).job_id)
    screen.refresh_from_db()
    return screen


def test_a_review_is_screened_once_when_it_reaches_the_utility(world, feeder):
    review = review_of(world, feeder)
    screen = screened(review)
    assert (screen.status, screen.review, screen.row_count, screen.job.status) == ("done", review, 3, "done")
    assert 0 < screen.short_count <= 3 and ScreenFinding.objects.filter(screen=screen).count() == screen.short_count
    said = screen.result["export"]
    assert len(said["share"]) == 288 and min(said["share"]) < 1 and max(said["asked_kw"]) == pytest.approx(45, rel=1e-3)
    worst = ScreenFinding.objects.order_by("limit_kw").first()
    assert worst.binds in ("voltage", "thermal") and 0 <= worst.limit_kw < worst.filed_kw and 7 <= worst.hour <= 17
    assert ordering.due() == []
    current(world, feeder, rows(points_of(feeder)[:4], metres=61))
    (other,) = ordering.due()
    assert other.pk != screen.pk and other.topology_hash != screen.topology_hash
    assert ordering.due(timezone.now() + timedelta(days=2)) == []


def test_the_proposed_limits_hold_jointly_and_what_was_filed_does_not(world, feeder):
    """By a power flow of its own: all at their proposed limit keep the band in the worst hours; all as filed do not."""
    review = review_of(world, feeder)
    screen = screened(review)
    version = screen.network
    model = building.feeder_of(version).at_constant_power()
    most, least = base.injections(version, len(model.points))
    rest = base.rest_of(model, base.year_of(version), most, least, EXPORT)
    limits = dict(ScreenFinding.objects.filter(screen=screen).values_list("row", "limit_kw"))

    def highest(capped: bool) -> float:
        added = np.zeros((len(model.points), year.COLUMNS))
        for each in ordering.rows_of(review, version):
            place = points_of(feeder).index(each.service_point.usage_point_id)
            kw = np.minimum(float(each.approved_export_kw) * year.sun(SHIPPED.latitude), limits.get(each.pk, np.inf) if capped else np.inf)
            added[place] += kw * 1e3
        found = PowerFlow(Machine(model).feeder).solve(rest - model.leg_va(added.astype(complex)))
        return float((np.abs(found.legs) / model.leg_volts[:, None]).max())

    assert highest(True) <= 1.051 < highest(False)  # what is at its limit already may go a thousandth beyond


def test_adopted_limits_are_decisions_with_the_screen_as_evidence(world, feeder):
    review = review_of(world, feeder)
    screen, reviewer = screened(review), world.user("edc", "reviewer")
    found = {each.row.external_id: each for each in ordering.proposals(screen)}
    decisions = ordering.adopt(actor=reviewer, screen=screen)
    assert {each.kind for each in decisions} == {"approve_limited"} and sum(each.row_count for each in decisions) == len(found)
    for name, each in found.items():
        assert float(Der.objects.get(external_id=name).export_limit_kw) == each.limit_kw
    evidence = decisions[0].evidence
    with evidence.file.open() as file:
        table = file.read()
    assert table and evidence.counterparty == world.aggregator
    assert LogEntry.objects.get(act="screen_adopt").edc == world.edc
    with pytest.raises(UserError) as refused:
        ordering.adopt(actor=reviewer, screen=screen)
    assert refused.value.code == "SCREEN-NOTHING"


def test_what_is_refused_and_what_is_not_screened(world, feeder):
    review = review_of(world, feeder)
    screen = screened(review)
    with pytest.raises(NotPermitted):
        ordering.adopt(actor=world.user("edc2", "administrator"), screen=screen)
    with pytest.raises(NotPermitted):
        ordering.again(actor=world.user("edc", "viewer"), screen=screen)
    current(world, feeder, rows(points_of(feeder)[:4], metres=61))
    with pytest.raises(UserError) as refused:
        ordering.adopt(actor=world.user("edc", "reviewer"), screen=screen)
    assert refused.value.code == "SCREEN-OUTDATED"


def test_little_is_deliverable_as_filed_and_decided_rows_are_left_out(world, feeder):
    review = review_of(world, feeder, kw=1, count=2)
    first = review.submission.rows.order_by("row_number").first()
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=StagedDer.objects.filter(pk=first.pk), kind="approve")
    screen = screened(review)
    assert (screen.row_count, screen.short_count) == (1, 0) and not ScreenFinding.objects.exists()
    assert max(screen.result["export"]["share"]) == min(screen.result["export"]["share"]) == 1


def test_both_parties_read_findings_and_only_the_utility_the_network(world, feeder, client_of, api_of):
    review = review_of(world, feeder)
    screen = screened(review)
    reviewer, filer = world.user("edc", "reviewer"), world.user("aggregator", "filer")
    page = client_of(reviewer).get(f"/registry/reviews/{review.uuid}/").content.decode()
    assert f"{PAGES}of/{review.uuid}/" in page
    seen = client_of(filer).get(f"{PAGES}of/{review.uuid}/").content.decode()
    element = screen.result["export"]["names"][0]
    assert "A-3" in seen and element not in seen and f"{PAGES}{screen.uuid}/" not in seen
    assert f"{PAGES}{screen.uuid}/" in client_of(reviewer).get(f"{PAGES}of/{review.uuid}/").content.decode()
    assert element in client_of(reviewer).get(f"{PAGES}{screen.uuid}/").content.decode()
    assert client_of(filer).get(f"{PAGES}{screen.uuid}/").status_code == 404
    assert api_of(filer).get(f"{API}{screen.uuid}/").status_code == 404
    told = api_of(filer).get(f"{FINDINGS}?review={review.uuid}").json()["results"]
    assert len(told) == screen.short_count and set(told[0]) >= {"limit_kw", "external_id"} and "element" not in told[0]
    assert api_of(world.user("aggregator2", "filer")).get(FINDINGS).json()["results"] == []


def test_again_and_adoption_by_page_and_api(world, feeder, client_of, api_of):
    review = review_of(world, feeder)
    screen, reviewer = screened(review), world.user("edc", "reviewer")
    client, api = client_of(reviewer), api_of(reviewer)
    client.post(f"{PAGES}{screen.uuid}/transitions/again/")
    screen.refresh_from_db()
    assert screen.status == "computing"
    tasks.screen(screen.job_id)
    found = list(ordering.proposals(screen))
    assert b"Adopt the limits" in client.get(f"{PAGES}{screen.uuid}/").content
    assert found[0].row.external_id in client.get(f"{PAGES}{screen.uuid}/adopt/").content.decode()
    none = client.post(f"{PAGES}{screen.uuid}/adopt/", {"rows": ["99"]})
    assert none.status_code == 422 and b"99" in none.content
    done = client.post(f"{PAGES}{screen.uuid}/adopt/", {"rows": [str(found[0].row.row_number)], "statement": "Until rebuilt"})
    assert done.status_code == 302 and Der.objects.get().external_id == found[0].row.external_id
    if found[1:]:
        assert api.post(f"{API}{screen.uuid}/adopt/", {}, format="json").json()["status"] == "done"
    gone = api.post(f"{API}{screen.uuid}/adopt/", {"rows": [99]}, format="json")
    assert gone.json()["code"] == "SCREEN-NOTHING"
    assert client.get(PAGES).status_code == 200
