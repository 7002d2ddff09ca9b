"""Notices of intent: location and account settled before filing (R3, R5; pre-registration). Accounts are compared and never kept."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.lifecycle import TransitionRefused
from moc.notices.models import Notice
from registry.intents import services
from registry.intents.models import IntentNotice, IntentPoint
from registry.intents.services import Known, Stated
from registry.submissions.models import StagedDer, Submission
from registry.submissions.services import intents
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
GOOD = Stated("I-1", "photovoltaic", Decimal("7.6"), "edc-up-01", "100001", "1 Elm Street")


@pytest.fixture
def filer(world):
    return world.user("aggregator", "filer")


@pytest.fixture
def reviewer(world):
    return world.user("edc", "reviewer")


def sent(world, *points: Stated) -> IntentNotice:
    actor = world.user("aggregator", "filer")
    return services.send(actor=actor, aggregator=world.aggregator, edc=world.edc, title="Elm Street", points=points or [GOOD])


def told(event: str, user) -> int:
    return Notice.objects.filter(event=event, user=user).count()


def test_equal_accounts_at_the_utilitys_service_point_are_settled(world, filer, reviewer):
    """The utility's service point stands, even where the aggregator stated another one."""
    notice = sent(world)
    assert told("intent_sent", reviewer) == 1
    done = services.answer(actor=reviewer, notice=notice, points=[Known("I-1", "edc-up-02", "100001")])
    point = done.points.get()
    assert (done.status, point.status, point.service_point.usage_point_id, point.usage_point_id) == (
        "settled",
        "settled",
        "edc-up-02",
        "edc-up-01",
    )
    assert done.settled_at and told("intent_answered", filer) == 1


def test_no_account_number_is_kept_anywhere(world, reviewer):
    """N12: neither what the aggregator states nor what the utility answers, in record or history."""
    notice = sent(world)
    services.answer(actor=reviewer, notice=notice, points=[Known("I-1", "edc-up-01", "777777")])
    for model in (IntentPoint, IntentPoint.history.model, IntentNotice, IntentNotice.history.model):
        assert not any("100001" in str(row) or "777777" in str(row) for row in model.objects.values())


@pytest.mark.parametrize(
    ("known", "remark"),
    [
        (Known("I-1", "edc-up-01", "999"), "The account at this service point is another one."),
        (Known("I-1", remark="No such customer"), "No such customer"),
        (Known("I-1", "edc-up-03", "", "Moved out"), "Moved out"),
    ],
)
def test_what_differs_comes_back_and_is_stated_anew(world, filer, reviewer, known, remark):
    back = services.answer(
        actor=reviewer,
        notice=sent(world, GOOD, Stated("I-2", "photovoltaic", Decimal(5), "", "2")),
        points=[
            known,
            Known("I-2", "edc-up-02", "2"),
        ],
    )
    assert (back.status, back.points.get(reference="I-1").remark, back.points.get(reference="I-2").status) == (
        "answered",
        remark,
        "settled",
    )
    anew = [Stated("I-1", "photovoltaic", Decimal("7.6"), "edc-up-01", "555")]
    with pytest.raises(UserError):
        services.correct(actor=filer, notice=back, points=[*anew, Stated("I-2", "photovoltaic", Decimal(5), "", "2")])
    again = services.correct(actor=filer, notice=back, points=anew)
    assert (again.status, again.points.open().get().remark) == ("sent", "")
    done = services.answer(actor=reviewer, notice=again, points=[Known("I-1", "edc-up-01", "555")])
    assert done.status == "settled" and told("intent_sent", reviewer) == 2


@pytest.mark.parametrize(
    "answers", [[], [Known("I-1")], [Known("I-1", "edc-up-01")], [Known("I-1", "", "100001")], [Known("I-1", "edc2-up-01", "100001")]]
)
def test_an_answer_says_both_or_what_is_known_otherwise(world, reviewer, answers):
    notice = sent(world)
    with pytest.raises(UserError):
        services.answer(actor=reviewer, notice=notice, points=answers)
    assert notice.points.open().count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"reference": ""},
        {"der_type": "windmill"},
        {"nameplate_ac_kw": Decimal(0)},
        {"account": ""},
        {"account": "9" * 41},
        {"premise_address": "x" * 201},
    ],
)
def test_a_wrong_row_keeps_the_whole_notice_back(world, wrong):
    with pytest.raises(UserError) as refused:
        sent(world, GOOD, Stated(**(GOOD.__dict__ | {"reference": "I-2"} | wrong)))
    assert refused.value.code == "INTENT-ROW" and not IntentNotice.objects.exists()
    with pytest.raises(UserError):
        sent(world, GOOD, GOOD)


def test_who_may(world, filer, reviewer):
    notice = sent(world)
    for actor in (world.user("aggregator", "viewer"), world.user("aggregator2", "administrator"), reviewer):
        with pytest.raises(NotPermitted):
            services.send(actor=actor, aggregator=world.aggregator, edc=world.edc, title="T", points=[GOOD])
    for actor in (filer, world.user("edc", "viewer"), world.user("edc2", "administrator")):
        with pytest.raises(NotPermitted):
            services.answer(actor=actor, notice=notice, points=[Known("I-1", "edc-up-01", "100001")])
    assert not IntentNotice.objects.visible_to(world.user("aggregator2", "administrator")).exists()


def test_the_clock_ends_what_nobody_answers_and_bars_nothing(world, filer, reviewer):
    notice = sent(world)
    assert services.check_clocks() == 0
    late = notice.due_at + timedelta(minutes=1)
    assert [services.check_clocks(late), services.check_clocks(late)] == [1, 0]
    notice.refresh_from_db()
    assert notice.status == "lapsed" and told("intent_ended", filer) == told("intent_ended", reviewer) == 1
    with pytest.raises(Conflict):
        services.answer(actor=reviewer, notice=notice, points=[Known("I-1", "edc-up-01", "100001")])


def test_a_withdrawn_notice_is_over(world, filer):
    notice = sent(world)
    services.withdraw(actor=filer, notice=notice, reason="Sold")
    with pytest.raises(TransitionRefused):
        services.withdraw(actor=filer, notice=notice, reason="Sold")


def test_what_is_settled_becomes_a_draft_at_the_utilitys_places(world, filer, reviewer):
    """No fact is asked twice: service point, technology and size come along; the rest is found missing by the rules."""
    notice = sent(world)
    with pytest.raises(Conflict):
        intents.file_settled(actor=filer, notice=notice)
    notice = services.answer(actor=reviewer, notice=notice, points=[Known("I-1", "edc-up-02", "100001")])
    made = intents.file_settled(actor=filer, notice=notice)
    row = StagedDer.objects.get(submission=made)
    assert (made.status, made.row_count, row.external_id, row.usage_point_id, row.edc) == ("draft", 1, "I-1", "edc-up-02", world.edc)
    assert row.service_point == world.service_points["edc"][1] and made.findings.exists()


def test_the_pages_of_both_parties(world, client_of):
    aggregator, utility = client_of(world.user("aggregator", "filer")), client_of(world.user("edc", "reviewer"))
    lines = "I-1; photovoltaic; 7,6; edc-up-01; 100001"
    bad = aggregator.post("/registry/intents/new/", {"edc": world.edc.pk, "title": "Elm", "points": lines})
    assert bad.status_code == 422 and "no number of kW" in bad.content.decode()
    made = aggregator.post("/registry/intents/new/", {"edc": world.edc.pk, "title": "Elm", "points": lines.replace(",", ".")}, follow=True)
    assert made.status_code == 200 and "With the utility" in made.content.decode()
    notice = IntentNotice.objects.get()
    assert f"/registry/intents/{notice.uuid}/" in utility.get("/").content.decode()
    url = f"/registry/intents/{notice.uuid}/answer/"
    assert utility.get(url).context["form"]["points"].value() == "I-1; edc-up-01; ; "
    shown = utility.post(url, {"points": "I-1; edc-up-01; 100001;"}, follow=True).content.decode()
    assert "Settled" in shown and "100001" not in shown
    done = aggregator.post(f"/registry/intents/{notice.uuid}/file/", follow=True)
    assert done.status_code == 200 and Submission.objects.get().title == "Elm"


def test_the_api_of_both_parties(world, api_of):
    aggregator, utility = api_of(world.machine), api_of(world.user("edc", "reviewer"))
    point = {"reference": "I-1", "der_type": "photovoltaic", "nameplate_ac_kw": "7.6", "account": "100001"}
    made = aggregator.post("/api/v1/registry/intents/", {"edc": "edc", "title": "Elm", "points": [point]})
    assert (made.status_code, made.json()["points"][0]["status"]) == (201, "open")
    address = f"/api/v1/registry/intents/{made.json()['id']}/"
    body = {"points": [{"reference": "I-1", "usage_point_id": "edc-up-01", "account": "100001"}]}
    done = utility.post(f"{address}transitions/answer/", body, headers={"If-Match": utility.get(address)["ETag"]})
    assert (done.status_code, done.json()["status"], done.json()["points"][0]["service_point"]) == (200, "settled", "edc-up-01")
    filed = aggregator.post("/api/v1/registry/submissions/settled/", {"notice": made.json()["id"]})
    assert (filed.status_code, filed.json()["row_count"]) == (201, 1)


def test_a_notice_in_history_names_who_answered(world, reviewer):
    notice = sent(world)
    services.answer(actor=reviewer, notice=notice, points=[Known("I-1", "edc-up-01", "100001")])
    assert notice.history.first().history_user == reviewer
    with acting(None, REASON):
        assert IntentNotice.objects.filter(pk=notice.pk, due_at__gt=timezone.now()).exists()
