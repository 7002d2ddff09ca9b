"""Look-ups by two facts, and switches of aggregator with an objection window (R4, N12, ¶336): no gap, no overlap, nothing unheard."""

from copy import deepcopy
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.accesslog.models import AccessEntry
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.models import Notice
from registry.aggregations.models import Aggregation, AggregationMember
from registry.ders.models import Der, DerTenure
from registry.submissions.models import StagedDer, Submission, UtilityReview
from registry.submissions.services import filing, lookups, reviewing, staging, switches
from registry.submissions.switching import LookUp, SwitchNotice
from tests.factories.filings import found_in, reviewed, row, store_in
from tests.sharing import standing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quiet(settings, folder) -> None:
    store_in(settings, folder)
    cache.clear()


def held(world) -> list[Der]:
    """Three DERs of the first aggregator."""
    review = reviewed(world, [row(n) for n in (1, 2, 3)])
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=StagedDer.objects.all(), kind="approve")
    with acting(None, "system: tests"):
        DerTenure.objects.update(valid_during=("2026-01-01", None), is_first=False)
    return list(Der.objects.order_by("external_id"))


@pytest.fixture(scope="module")
def standing_ders(standing_world, folder):
    return standing(held, standing_world, folder)


@pytest.fixture
def ders(world, standing_ders) -> list[Der]:
    return deepcopy(standing_ders)


@pytest.fixture
def newcomer(world):
    return world.user("aggregator2", "administrator")


def ask(world, actor, **said) -> LookUp:
    given = {"usage_point_id": "edc-up-01", "fact": "account", "value": "100001"} | said
    return lookups.look_up(actor=actor, aggregator=world.aggregator2, edc=world.edc, **given)


def paper() -> SimpleUploadedFile:
    return SimpleUploadedFile("authorisation.txt", b"I authorise it.", "text/plain")


def start(world, actor, *look_ups: LookUp, **said) -> Submission:
    given = {"starts_on": timezone.localdate(), "authorisation": "AU-1", "evidence": paper()} | said
    return switches.start(actor=actor, look_ups=look_ups or [ask(world, actor)], **given)


def submit(world, actor, submission: Submission) -> UtilityReview:
    version, _, _ = filing.attestation()
    return filing.submit(actor=actor, submission=submission, attestation_version=version).reviews.get()


def decide(world, review: UtilityReview, **said):
    rows = StagedDer.objects.filter(submission=review.submission)
    return reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=rows, **({"kind": "approve"} | said))


def window_over(review: UtilityReview) -> None:
    with acting(None, "system: tests"):
        SwitchNotice.objects.filter(review=review).update(due_at=timezone.now() - timedelta(minutes=1))


@pytest.mark.parametrize(
    "said", [{"value": "999"}, {"usage_point_id": "no-such"}, {"usage_point_id": "edc2-up-01"}, {"fact": "serial_no", "value": "SN-2"}]
)
def test_wrong_and_unknown_are_answered_alike_by_the_same_queries(world, ders, newcomer, said):
    """N12: neither the answer nor the number of statements tells which of the two facts was wrong."""
    ask(world, newcomer)
    with CaptureQueriesContext(connection) as right:
        known = ask(world, newcomer)
    with CaptureQueriesContext(connection) as wrong:
        nothing = ask(world, newcomer, **said)
    assert (len(known.ders), nothing.ders) == (1, [])
    assert len(wrong) == len(right)


def test_two_facts_identify_what_stands_there_and_its_owner_can_see_who_asked(world, ders, newcomer):
    found = ask(world, newcomer, fact="serial_no", value="sn-1")
    assert found.ders == [{"der": str(ders[0].uuid), "der_type": "Photovoltaic"}]
    entry = AccessEntry.objects.get(purpose="look_up")
    assert (entry.holder, entry.filed_by, entry.subject, entry.actor) == (world.edc, world.aggregator, ders[0].owner.subject, newcomer)
    ask(world, newcomer, value="999")
    assert AccessEntry.objects.filter(purpose="look_up", subject=None, filed_by=None).count() == 1


def test_look_ups_are_limited_and_take_two_facts(world, ders, newcomer, monkeypatch):
    monkeypatch.setattr(lookups, "MOST", 2)
    for _ in range(2):
        ask(world, newcomer)
    with pytest.raises(lookups.TooMany):
        ask(world, newcomer)
    cache.clear()
    for said in ({"value": " "}, {"usage_point_id": ""}, {"fact": "owner_name"}):
        with pytest.raises(UserError):
            ask(world, newcomer, **said)
    with pytest.raises(NotPermitted):
        lookups.look_up(
            actor=newcomer, aggregator=world.aggregator, edc=world.edc, usage_point_id="edc-up-01", fact="account", value="100001"
        )


def test_a_draft_of_a_switch_tells_the_new_aggregator_nothing_of_the_facts(world, ders, newcomer):
    submission = start(world, newcomer)
    staged = submission.rows.get()
    assert (submission.kind, submission.document.counterparty, submission.starts_on) == ("switch", world.edc, timezone.localdate())
    assert (staged.external_id, staged.serial_no, staged.premise_address, staged.service_point) == (str(ders[0].uuid), "", "", None)
    assert not found_in(submission) and not SwitchNotice.objects.exists()


def test_the_present_aggregator_is_heard_before_the_utility_decides(world, ders, newcomer):
    review = submit(world, newcomer, start(world, newcomer))
    notice = review.switch_notices.get()
    assert (notice.former, notice.aggregator, notice.ders, notice.is_running) == (world.aggregator, world.aggregator2, ["A-1"], True)
    assert Notice.objects.filter(event="switch_notice", user=world.user("aggregator", "filer")).exists()
    with pytest.raises(Conflict) as early:
        decide(world, review)
    assert early.value.code == "SWITCH-WINDOW" and Der.objects.get(pk=ders[0].pk).aggregator == world.aggregator
    window_over(review)
    decide(world, review)
    assert Der.objects.get(pk=ders[0].pk).aggregator == world.aggregator2


def test_a_switch_leaves_no_gap_and_no_overlap_and_ends_memberships(world, ders, newcomer):
    """The former's last day is the day before; its aggregation goes on without the DER (¶338)."""
    today = timezone.localdate()
    agents = dict.fromkeys(("market_agent", "dispatch_agent", "meter_reader"), world.aggregator)
    with acting(None, "system: tests"):
        aggregation = Aggregation.objects.create(
            aggregator=world.aggregator, tso=world.tso, services=["energy"], name="A", stated_on=today, stated_kw=1, **agents
        )
        for der in ders:
            AggregationMember.objects.create(
                aggregation=aggregation,
                der=der,
                service_id="energy",
                aggregator=world.aggregator,
                edc=world.edc,
                wholesale=True,
                valid_during=("2026-01-01", None),
            )
    review = submit(world, newcomer, start(world, newcomer))
    switches.answer(actor=world.user("aggregator", "filer"), notice=review.switch_notices.get(), name="agree")
    decide(world, review)
    spans = [
        (each.aggregator, each.valid_during.lower, each.valid_during.upper) for each in DerTenure.objects.filter(der=ders[0]).order_by("id")
    ]
    assert spans[0][0] == world.aggregator and spans[1][0] == world.aggregator2
    assert spans[0][2] == spans[1][1] == today and spans[1][2] is None
    assert aggregation.members.get(der=ders[0]).valid_during.upper == today
    assert set(aggregation.members.filter(valid_during__upper_inf=True).values_list("der", flat=True)) == {der.pk for der in ders[1:]}
    aggregation.refresh_from_db()
    assert aggregation.restate_since == today
    assert ders[0].history.first().history_user == world.user("edc", "reviewer")


def test_a_switch_to_come_is_planned(world, ders, newcomer):
    later = timezone.localdate() + timedelta(days=20)
    review = submit(world, newcomer, start(world, newcomer, starts_on=later))
    window_over(review)
    decide(world, review)
    planned = DerTenure.objects.get(der=ders[0], status="planned")
    assert (planned.aggregator, planned.valid_during.lower) == (world.aggregator2, later)
    assert Der.objects.get(pk=ders[0].pk).aggregator == world.aggregator


def test_an_objection_has_a_ground_and_the_utility_answers_it(world, ders, newcomer):
    review = submit(world, newcomer, start(world, newcomer))
    notice, filer = review.switch_notices.get(), world.user("aggregator", "filer")
    for ground, statement in (("", "No"), ("wrong_der", " "), ("dislike", "No")):
        with pytest.raises(UserError):
            switches.answer(actor=filer, notice=notice, name="object", ground=ground, statement=statement)
    with pytest.raises(NotPermitted):
        switches.answer(actor=newcomer, notice=notice, name="agree")
    switches.answer(actor=filer, notice=notice, name="object", ground="wrong_der", statement="Another house")
    assert Notice.objects.filter(event="switch_answered", user=world.user("edc", "reviewer")).exists()
    with pytest.raises(Conflict) as silent:
        decide(world, review)
    assert silent.value.code == "SWITCH-OBJECTED"
    decide(world, review, statement="The bill shows this house")
    assert Der.objects.get(pk=ders[0].pk).aggregator == world.aggregator2


def test_a_late_answer_counts_no_more(world, ders, newcomer):
    review = submit(world, newcomer, start(world, newcomer))
    window_over(review)
    with pytest.raises(Conflict) as late:
        switches.answer(actor=world.user("aggregator", "filer"), notice=review.switch_notices.get(), name="agree")
    assert late.value.code == "OBJECTION-LATE"


def test_nobody_switches_what_it_has_not_identified(world, ders, newcomer):
    old = ask(world, newcomer)
    LookUp.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(days=31))
    old.refresh_from_db()
    for looks in ([ask(world, newcomer, value="999")], [old]):
        with pytest.raises(UserError) as refused:
            start(world, newcomer, *looks)
        assert refused.value.code == "SWITCH-LOOK-UP"
    with pytest.raises(UserError):
        switches.start(actor=newcomer, look_ups=[], starts_on=timezone.localdate(), authorisation="AU-1", evidence=paper())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"authorisation": " "}, "SWITCH-AUTHORISATION"),
        ({"evidence": None}, "SWITCH-AUTHORISATION"),
        ({"starts_on": timezone.localdate() - timedelta(days=1)}, "TENURE-PAST"),
    ],
)
def test_a_switch_shows_the_customers_authorisation(world, ders, newcomer, said, code):
    with pytest.raises(UserError) as refused:
        start(world, newcomer, **said)
    assert refused.value.code == code and not Submission.objects.filter(kind="switch").exists()


def test_one_switch_of_a_der_at_a_time(world, ders, newcomer):
    first, second = start(world, newcomer), start(world, newcomer)
    submit(world, newcomer, first)
    with acting(newcomer, "Checked again"):
        staging.check(second)
    assert (1, "SWITCH-PENDING") in found_in(second) and (1, "SWITCH-PENDING") not in found_in(first)
    with pytest.raises(UserError):
        submit(world, newcomer, second)


def test_what_came_to_a_third_party_meanwhile_is_not_switched_unheard(world, ders, newcomer):
    review = submit(world, newcomer, start(world, newcomer))
    window_over(review)
    with acting(None, "system: tests"):
        SwitchNotice.objects.filter(review=review).update(former=world.aggregator2)
    with pytest.raises(Conflict) as refused:
        decide(world, review)
    assert refused.value.code == "SWITCH-HELD-BY-ANOTHER"


def test_an_undecided_switch_changes_nothing(world, ders, newcomer):
    review = submit(world, newcomer, start(world, newcomer))
    decide(world, review, kind="request_info", statement="Whose signature?")
    assert Der.objects.get(pk=ders[0].pk).aggregator == world.aggregator and DerTenure.objects.filter(der=ders[0]).count() == 1


def test_a_window_that_ends_in_silence_is_closed_and_told_once(world, ders, newcomer):
    """The utility, the new aggregator and the present one; then the utility decides, and no answer is taken any more."""
    review = submit(world, newcomer, start(world, newcomer))
    assert switches.close_windows() == 0
    window_over(review)
    assert [switches.close_windows(), switches.close_windows()] == [1, 0]
    notice = review.switch_notices.get()
    assert notice.status == "silent"
    told = Notice.objects.filter(event="switch_window_over")
    for organization, role in (("edc", "reviewer"), ("aggregator2", "administrator"), ("aggregator", "filer")):
        assert told.filter(user=world.user(organization, role)).count() == 1
    with pytest.raises(Conflict):
        switches.answer(actor=world.user("aggregator", "filer"), notice=notice, name="agree")
    decide(world, review)


def test_the_days_that_are_named_are_the_last_ones(world, ders, newcomer):
    """A window and a review end with their last day, at midnight; the day after is not named."""
    review = submit(world, newcomer, start(world, newcomer))
    last = timezone.localdate(review.due_at - timedelta(seconds=1))
    assert Notice.objects.filter(event="review_started", subject__endswith=f"by {last}").exists()
    window = timezone.localdate(review.switch_notices.get().due_at - timedelta(seconds=1))
    assert Notice.objects.filter(event="switch_notice", subject__endswith=f"until {window}").exists()


def test_who_decides_a_switch_sees_the_ders_facts_and_the_newcomer_does_not(world, ders, newcomer, client_of):
    """Rows of a switch show kW, feeder and address as those of a registration do, on the page and in its file, and are filtered by them."""
    review = submit(world, newcomer, start(world, newcomer))
    page, der = f"/registry/reviews/{review.uuid}/", ders[0]
    utility, new = client_of(world.user("edc", "reviewer")), client_of(newcomer)

    def cells(client, query: str = "") -> list[dict]:
        rows = client.get(f"{page}{query}").context["table"].rows
        return [{head.label: value for head, value, _ in each.cells} for each in rows]

    shown = {"AC (kW)": der.nameplate_ac_kw, "Feeder": der.feeder.code, "Address": der.premise_address}
    assert der.nameplate_ac_kw and shown.items() <= cells(utility)[0].items()
    assert len(cells(utility, f"?feeder={der.feeder.code}")) == 1 and cells(utility, "?feeder=NOWHERE") == []
    assert {cells(new)[0][label] for label in shown} <= {None, ""}
    file = b"".join(utility.get(f"{page}rows.csv").streaming_content).decode()
    assert der.feeder.code in file and der.manufacturer in file
    assert der.feeder.code not in b"".join(new.get(f"{page}rows.csv").streaming_content).decode()
