"""Pages, queues, workplace and API of disputes, each party its own side: N10, N11; Order 2222 ¶299."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from moc.history import acting
from moc.portal.queues import waiting_for
from registry.ders.models import Der
from settlement.disputes import reports
from settlement.disputes.endings import Determination
from settlement.disputes.models import Dispute, DisputePart
from settlement.disputes.services import determining, levels, pleading, settling
from tests.factories.disputes import denied_row, disputed, pdf

pytestmark = pytest.mark.django_db


def waits(user) -> set[str]:
    return {work.label for work in waiting_for(user) if work.count and ("isput" in work.label or "eterminat" in work.label)}


def page_of(dispute) -> str:
    return reverse("settlement:dispute", args=[dispute.uuid])


def test_a_denied_row_leads_to_its_dispute(world, client_of):
    row = denied_row(world)
    client = client_of(world.user("aggregator", "approver"))
    shown = client.get(reverse("registry:submission_row", args=[row.submission.uuid, row.row_number])).content.decode()
    url = reverse("settlement:dispute_row", args=[row.submission.uuid, row.row_number])
    assert f'href="{url}"' in shown
    assert (
        f'href="{reverse("settlement:dispute_review", args=[row.submission.reviews.get().uuid])}"'
        in client.get(reverse("registry:review_detail", args=[row.submission.reviews.get().uuid])).content.decode()
    )
    answer = client.post(url, {"claim": "Approve it", "upload": pdf()}, follow=True)
    assert "The dispute is open" in answer.content.decode() and "study.pdf" in answer.content.decode()
    again = client.post(url, {"claim": "Approve it"})
    assert again.status_code == 422 and "A dispute over it stands already" in again.content.decode()


def test_the_other_party_is_offered_no_dispute(world, client_of):
    row = denied_row(world)
    shown = client_of(world.user("edc", "approver")).get(reverse("registry:submission_row", args=[row.submission.uuid, row.row_number]))
    assert "Dispute the decision" not in shown.content.decode()


def test_each_sees_the_acts_of_its_own_side(world, client_of):
    dispute = disputed(world, "rto")
    acts = {
        "State your side",
        "Propose a settlement",
        "Draft a determination",
        "Take it to the regulator",
        "Refer it to the regulator",
        "Withdraw",
    }

    def offered(kind: str, role: str) -> set[str]:
        shown = client_of(world.user(kind, role)).get(page_of(dispute)).content.decode()
        return {act for act in acts if f">{act}<" in shown}

    assert offered("edc", "approver") == {"State your side", "Propose a settlement", "Take it to the regulator"}
    assert offered("aggregator", "approver") == {"Propose a settlement", "Take it to the regulator", "Withdraw"}
    assert offered("tso", "auditor") == {"Draft a determination", "Refer it to the regulator"}
    assert offered("rerra", "administrator") == offered("aggregator", "viewer") == offered("edc", "reviewer") == set()


def test_queues_follow_the_dispute(world):
    dispute = disputed(world)
    aggregator, utility = world.user("aggregator", "approver"), world.user("edc", "approver")
    assert (waits(aggregator), waits(utility)) == (set(), {"Disputes: your turn"})
    pleading.file(actor=utility, dispute=dispute, kind="statement", text="Our side.")
    assert (waits(aggregator), waits(utility)) == ({"Disputes: your turn"}, set())
    settling.propose(actor=aggregator, dispute=dispute, terms="Let it stand", effect="none")
    assert waits(utility) == {"Disputes: proposals to answer"}
    pleading.file(actor=utility, dispute=dispute, kind="question", text="Which?", asked="aggregator")
    assert waits(aggregator) == {"Disputes: your turn", "Disputes: questions to you"}


def test_queues_of_those_who_decide(world):
    dispute = disputed(world, "rerra")
    auditor, administrator = world.user("rerra", "auditor"), world.user("rerra", "administrator")
    assert waits(auditor) == waits(administrator) == {"Disputes to determine"}
    assert waits(world.user("tso", "administrator")) == set()
    determining.propose(actor=auditor, dispute=dispute, outcome="upheld", reasons="It is so.")
    assert (waits(auditor), waits(administrator)) == (set(), {"Determinations to confirm"})


def test_a_dispute_is_shown_as_of_a_moment(world, client_of):
    """N4: where it stood before it went to the RTO."""
    dispute = disputed(world)
    before = timezone.now()
    levels.escalate(actor=world.user("aggregator", "approver"), dispute=dispute, name="escalate_to_rto", reason="No answer.")
    shown = client_of(world.user("rerra", "auditor")).get(page_of(dispute), {"as_of": before.isoformat()}).content.decode()
    assert "Between the parties" in shown and "The inverter was replaced" in shown and "Draft a determination" not in shown


def test_the_list_costs_the_same_for_one_and_for_many(world, client_of):
    client = client_of(world.user("rerra", "auditor"))
    disputed(world)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("settlement:dispute_list") + "?status=all").status_code == 200
        return len(queries)

    cost()
    before = cost()
    dispute = Dispute.objects.get()
    facts = {field.attname: getattr(dispute, field.attname) for field in Dispute._meta.concrete_fields if not field.primary_key}
    with acting(None, "system: tests"):
        for n in range(12):
            Dispute.objects.create(**facts | {"uuid": f"00000000-0000-0000-0000-{n:012}", "row_id": 10**9 + n, "title": f"Another {n}"})
    assert cost() == before
    assert "Another 11" in client.get(reverse("settlement:dispute_list") + "?status=all").content.decode()


def test_the_dashboard_says_age_level_and_outcome_by_utility(world, client_of):
    dispute = disputed(world, "rerra")
    client = client_of(world.user("rerra", "auditor"))
    shown = client.get(reverse("settlement:dispute_figures")).content.decode()
    assert "Standing disputes by age" in shown and world.edc.name in shown
    draft = determining.propose(actor=world.user("rerra", "auditor"), dispute=dispute, outcome="overturned", reasons="It is shown.")
    determining.move(actor=world.user("rerra", "administrator"), determination=draft, name="confirm")
    (figures,) = reports.by_utility(world.user("rerra", "auditor"))
    assert (figures.standing, figures.closed, figures.overdue) == (0, 1, 0)
    assert dict(zip(Dispute.Outcome.values, figures.outcomes))["overturned"] == 1 and figures.mean_days < 1
    assert reports.by_utility(world.user("edc2", "administrator")) == []


def test_a_regulator_determines_in_the_workplace(world, client_of):
    """The workplace's lifecycle actions call the same services: a second person confirms there."""
    dispute = disputed(world, "rerra")
    draft = determining.propose(actor=world.user("rerra", "auditor"), dispute=dispute, outcome="overturned", reasons="It is shown.")
    url = reverse("admin:settlement_determination_move", args=[draft.pk, "confirm"])
    client_of(world.user("rerra", "administrator")).post(url, {"confirmed": "yes"})
    draft.refresh_from_db()
    assert draft.status == "effective" and Der.objects.filter(external_id="A-1").exists()
    overdue = client_of(world.user("rerra", "auditor")).get(reverse("admin:index")).content.decode()
    assert "Disputes past their clock" in overdue


def test_a_whole_dispute_by_api(world, api_of):
    """From opening to letter without a page."""
    row = denied_row(world)
    aggregator, utility, regulator = (
        api_of(world.user(*who)) for who in (("aggregator", "approver"), ("edc", "approver"), ("rerra", "auditor"))
    )
    made = aggregator.post(
        "/api/v1/settlement/disputes/", {"submission": str(row.submission.uuid), "row": row.row_number, "claim": "Approve"}
    )
    assert made.status_code == 201, made.json()
    here = made["Location"].partition("testserver")[2]
    said = utility.post(f"{here}parts/", {"kind": "statement", "text": "Not as known."})
    assert said.status_code == 201
    early = aggregator.post(f"{here}transitions/escalate_to_rerra/", {"reason": "No."})
    assert early.status_code == 428
    moved = aggregator.post(f"{here}transitions/escalate_to_rerra/", {"reason": "State law."}, HTTP_IF_MATCH="*")
    assert moved.json()["status"] == "at_rerra"
    varied = {"outcome": "varied", "reasons": "Shown.", "export_limit_kw": "4.5", "inverter_settings": {"max_w": 200}}
    wrong = regulator.post(f"{here}determinations/", varied, format="json")
    assert wrong.json()["code"] == "DECISION-SETTINGS" and "max_w: Give 0 to 100" in wrong.content.decode()
    draft = regulator.post(f"{here}determinations/", varied | {"inverter_settings": {"max_w": 60}}, format="json")
    assert draft.json()["inverter_settings"] == {"max_w": 60.0}
    assert draft.status_code == 201 and aggregator.get(f"{here}determinations/").json()["results"] == []
    place = draft["Location"].partition("testserver")[2]
    refused = regulator.post(f"{place}transitions/confirm/", {}, HTTP_IF_MATCH="*")
    assert refused.status_code == 403
    done = api_of(world.user("rerra", "administrator")).post(f"{place}transitions/confirm/", {}, HTTP_IF_MATCH="*")
    assert done.json()["status"] == "effective" and done.json()["code"]
    letter = utility.get(f"{place}letter/")
    assert b"".join(letter.streaming_content).startswith(b"%PDF")
    bundle = aggregator.get(f"{here}bundle/?kind=clock").json()["results"]
    assert {item["source"] for item in bundle} == {"moc.RuleSet"} and Determination.objects.count() == 1
    assert DisputePart.objects.filter(kind="statement").count() == 3


def test_what_is_said_wrong_is_a_problem_with_its_code(world, api_of):
    dispute = disputed(world)
    api = api_of(world.user("aggregator", "approver"))
    here = f"/api/v1/settlement/disputes/{dispute.uuid}/"
    for path, body, code in (
        (f"{here}parts/", {"kind": "statement", "text": "Again."}, "DISPUTE-TURN"),
        (f"{here}parts/", {"kind": "note", "text": "Hm."}, "DISPUTE-NOTE"),
        (f"{here}parts/", {"kind": "question", "text": "Who?"}, "DISPUTE-ASKED"),
        (f"{here}proposals/", {"effect": "approve_limited", "terms": "5 kW"}, "DECISION-LIMITS"),
    ):
        answer = api.post(path, body)
        assert answer.status_code in (400, 409, 422) and answer.json()["code"] == code, answer.json()
    assert api.post("/api/v1/settlement/disputes/", {"claim": "x", "row": 1}).status_code == 400
