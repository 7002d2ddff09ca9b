"""A dispute from its opening to its end, by the services: N4, N11; Order 2222 ¶299."""

import hashlib
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.policy import NotPermitted
from moc.documents import services as documents
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.lifecycle import TransitionRefused
from moc.notices.models import Notice
from moc.reports.datasets import all_duties
from moc.rulesets.models import RuleSet
from moc.seals import canon, destroying
from registry.submissions.models import Decision, UtilityReview
from settlement.disputes.endings import Determination
from settlement.disputes.models import BundleItem, Dispute, DisputePart
from settlement.disputes.services import bundles, clocks, levels, opening, pleading
from tests.factories.disputes import denied_review, denied_row, disputed, pdf
from tests.factories.filings import reviewed, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def aggregator(world):
    return world.user("aggregator", "approver")


@pytest.fixture
def utility(world):
    return world.user("edc", "approver")


def told(event: str) -> set[str]:
    return set(Notice.objects.filter(event=event).values_list("user__email", flat=True))


def owed(world, user) -> dict[str, tuple]:
    """What the calendar says of disputes: duty → (party, when it was done)."""
    today = timezone.localdate()
    with sight.seeing(policy.sight_of(user)):
        found = all_duties(user, today, today + timedelta(days=400))
    return {duty.what.partition(":")[0]: (duty.party, duty.filed) for duty in found if duty.cites == "¶299"}


def test_the_calendar_of_obligations_has_turns_and_questions(world, aggregator, utility):
    """N6: who states, who answers and who determines; a question that was answered is done."""
    dispute = disputed(world)
    assert owed(world, world.user("rerra", "auditor")) == {"State your side": (world.edc.name, None)}
    assert owed(world, world.user("edc2", "administrator")) == {}
    levels.move(actor=aggregator, dispute=dispute, name="escalate_to_rto", reason="No answer.")
    assert owed(world, utility)["Determine"] == (world.tso.name, None)


class TestOpening:
    def test_a_denied_row_is_disputed_and_everybody_is_told(self, world):
        dispute = disputed(world)
        assert (dispute.status, dispute.level, dispute.turn) == ("negotiating", "parties", "edc")
        assert (dispute.edc, dispute.tso, dispute.rerra) == (world.edc, world.tso, world.rerra)
        assert dispute.clock_rule.key == "dispute_parties_days" and not dispute.clock_rule.verified
        assert dispute.decision.reason_code == "data_mismatch"
        assert {"approver@edc.example.org", "auditor@rerra.example.org", "auditor@tso.example.org"} <= told("dispute_opened")
        assert not [email for email in told("dispute_opened") if "aggregator" in email or "2" in email.partition("@")[2]]

    @pytest.mark.parametrize(
        ("kind", "role"), [("aggregator", "filer"), ("edc", "approver"), ("aggregator2", "administrator"), ("rerra", "administrator")]
    )
    def test_only_those_who_pursue_for_its_aggregator_open_one(self, world, kind, role):
        with pytest.raises(NotPermitted):
            opening.open_dispute(actor=world.user(kind, role), row=denied_row(world), claim="No.")
        assert not Dispute.objects.exists()

    def test_an_approved_row_is_not_disputed(self, world, aggregator):
        approved = denied_review(world).submission.rows.get(external_id="A-2")
        with pytest.raises(Conflict) as refused:
            opening.open_dispute(actor=aggregator, row=approved, claim="More.")
        assert refused.value.code == "DISPUTE-UNDECIDED"

    def test_a_review_is_disputed_when_something_in_it_was_denied(self, world, aggregator):
        review = denied_review(world)
        made = opening.open_dispute(actor=aggregator, review=review, claim="All of it.")
        assert made.review == review and made.row is None
        waiting = reviewed(world, [row(3)])
        with pytest.raises(Conflict) as refused:
            opening.open_dispute(actor=aggregator, review=waiting, claim="All of it.")
        assert refused.value.code == "DISPUTE-UNDECIDED"

    def test_what_stands_is_not_opened_twice(self, world, aggregator):
        dispute = disputed(world)
        with pytest.raises(Conflict) as refused:
            opening.open_dispute(actor=aggregator, row=dispute.row, claim="Again.")
        assert refused.value.code == "DISPUTE-STANDING"

    def test_the_days_to_dispute_a_decision_end(self, world, aggregator):
        late = denied_row(world)
        with acting(None, "system: tests"):
            Decision.objects.filter(pk=late.decision_id).update(confirmed_at=timezone.now() - timedelta(days=20))
        with pytest.raises(Conflict) as refused:
            opening.open_dispute(actor=aggregator, row=late, claim="At last.")
        assert refused.value.code == "DISPUTE-LATE"
        with acting(None, "system: tests"):
            Decision.objects.filter(pk=late.decision_id).update(confirmed_at=timezone.now() - timedelta(days=7))
        assert opening.open_dispute(actor=aggregator, row=late, claim="In time.").is_open

    def test_a_claim_is_written(self, world, aggregator):
        with pytest.raises(UserError) as refused:
            opening.open_dispute(actor=aggregator, row=denied_row(world), claim=" ")
        assert refused.value.code == "DISPUTE-CLAIM"

    def test_the_database_knows_one_subject_only(self, world):
        dispute = disputed(world)
        review = UtilityReview.objects.get()
        with pytest.raises(DatabaseError), transaction.atomic(), acting(None, "system: tests"):
            Dispute.objects.filter(pk=dispute.pk).update(review=review)
        with pytest.raises(DatabaseError), transaction.atomic(), acting(None, "system: tests"):
            Dispute.objects.filter(pk=dispute.pk).update(row=None)


class TestBundle:
    def test_it_holds_records_versions_messages_clocks_and_files(self, world):
        dispute = disputed(world)
        items = BundleItem.objects.filter(dispute=dispute)
        sources = set(items.values_list("kind", "source"))
        assert sources >= {
            ("record", "registry.Submission"),
            ("record", "registry.UtilityReview"),
            ("record", "registry.StagedDer"),
            ("record", "registry.Decision"),
            ("version", "registry.HistoricalDecision"),
            ("version", "registry.HistoricalUtilityReview"),
            ("message", "moc.Notice"),
            ("clock", "moc.RuleSet"),
            ("file", "moc.Document"),
        }
        assert items.filter(source="registry.StagedDer").count() == 1, "only the disputed row"
        assert dispute.bundle_count == items.count() > 10

    def test_each_record_hashes_to_its_hash_and_all_to_the_disputes(self, world):
        dispute = disputed(world)
        items = list(BundleItem.objects.filter(dispute=dispute).order_by("id"))
        hashes = [hashlib.sha256(item.content.encode()).hexdigest() for item in items]
        assert hashes == [item.sha256 for item in items]
        assert hashlib.sha256("".join(hashes).encode()).hexdigest() == dispute.bundle_sha256
        assert bundles.is_intact(dispute)
        dispute.bundle_sha256 = "0" * 64
        assert not bundles.is_intact(dispute)

    def test_nobody_changes_it_and_it_is_sealed(self, world):
        dispute = disputed(world)
        for rows in (BundleItem.objects.filter(dispute=dispute), DisputePart.objects.filter(dispute=dispute)):
            with pytest.raises(DatabaseError), transaction.atomic(), acting(None, "system: tests"):
                rows.delete()
            assert rows.model._meta.db_table in canon.tables()
        assert Determination.history.model._meta.db_table in canon.tables()

    def test_what_was_in_the_making_is_the_utilitys_own(self, world):
        dispute = disputed(world)
        made = BundleItem.objects.filter(dispute=dispute, source="registry.HistoricalDecision", content__contains='"status": "proposed"')
        assert set(made.values_list("audience", flat=True)) == {"edc"}
        messages = BundleItem.objects.filter(dispute=dispute, kind="message")
        assert set(messages.values_list("audience", flat=True)) == {"aggregator", "edc"}
        assert not messages.filter(audience="aggregator", content__contains="denial_proposed").exists()


class TestTheFile:
    def test_statements_are_made_in_turn(self, world, aggregator, utility):
        dispute = disputed(world)
        with pytest.raises(Conflict) as refused:
            pleading.file(actor=aggregator, dispute=dispute, kind="statement", text="And another thing.")
        assert refused.value.code == "DISPUTE-TURN"
        pleading.file(actor=utility, dispute=dispute, kind="statement", text="We saw another inverter.")
        dispute.refresh_from_db()
        assert dispute.turn == "aggregator" and dispute.turn_due_at > timezone.now()
        pleading.file(actor=aggregator, dispute=dispute, kind="statement", text="Look again.")
        assert [part.side for part in DisputePart.objects.filter(kind="statement")] == ["aggregator", "edc", "aggregator"]

    def test_evidence_is_a_file_whose_hash_is_in_the_record(self, world, aggregator):
        dispute = disputed(world)
        part = pleading.file(actor=aggregator, dispute=dispute, kind="evidence", text="A photograph.", upload=pdf())
        assert part.document_sha256 == hashlib.sha256(pdf().read()).hexdigest()
        assert b"".join(documents.plain(pleading.evidence_of(part))) == pdf().read()
        with pytest.raises(UserError) as refused:
            pleading.file(actor=aggregator, dispute=dispute, kind="evidence", text="A photograph.")
        assert refused.value.code == "DISPUTE-FILE"
        with pytest.raises(UserError):
            program = SimpleUploadedFile("program.exe", b"MZ\0\0")
            pleading.file(actor=aggregator, dispute=dispute, kind="evidence", text="A program.", upload=program)

    def test_between_the_parties_nothing_is_confidential(self, world, aggregator):
        facts = {"actor": aggregator, "kind": "evidence", "text": "Prices.", "is_shared": False}
        dispute = disputed(world)
        with pytest.raises(Conflict) as refused:
            pleading.file(dispute=dispute, upload=pdf(), **facts)
        assert refused.value.code == "DISPUTE-CONFIDENTIAL"
        before = levels.escalate(actor=aggregator, dispute=dispute, name="escalate_to_rto", reason="No answer.")
        assert not pleading.file(dispute=before, upload=pdf(), **facts).is_shared
        assert "approver@edc.example.org" not in {
            notice.user.email for notice in Notice.objects.filter(event="dispute_part", body__contains="Prices.").select_related("user")
        }

    def test_a_statement_is_never_confidential(self, world, utility):
        dispute = disputed(world, "rto")
        with pytest.raises(UserError) as refused:
            pleading.file(actor=utility, dispute=dispute, kind="statement", text="In confidence.", is_shared=False)
        assert refused.value.code == "DISPUTE-SHARED"

    def test_a_question_is_answered_once_by_who_was_asked(self, world, aggregator, utility):
        dispute = disputed(world, "rto")
        hearer = world.user("tso", "auditor")
        question = pleading.file(actor=hearer, dispute=dispute, kind="question", text="Which inverter?", asked="edc")
        assert question.due_at > timezone.now()
        with pytest.raises(NotPermitted):
            pleading.answer(actor=aggregator, question=question, text="Ours.")
        pleading.answer(actor=utility, question=question, text="The old one.")
        with pytest.raises(Conflict) as refused:
            pleading.answer(actor=utility, question=question, text="The new one.")
        assert refused.value.code == "DISPUTE-ANSWERED"
        with pytest.raises(UserError) as refused:
            pleading.file(actor=utility, dispute=dispute, kind="question", text="Which?", asked="edc")
        assert refused.value.code == "DISPUTE-ASKED"

    def test_a_meeting_was_held(self, world, utility):
        dispute = disputed(world)
        facts = {"actor": utility, "dispute": dispute, "kind": "meeting", "text": "We looked at it."}
        assert pleading.file(held_at=timezone.now() - timedelta(hours=1), attendees="Both engineers", **facts).is_shared
        for wrong in ({"held_at": timezone.now() + timedelta(days=1), "attendees": "Both"}, {"held_at": timezone.now(), "attendees": " "}):
            with pytest.raises(UserError) as refused:
                pleading.file(**facts, **wrong)
            assert refused.value.code == "DISPUTE-MEETING"

    def test_notes_are_the_deciders_own(self, world, utility):
        dispute = disputed(world, "rerra")
        note = pleading.file(actor=world.user("rerra", "auditor"), dispute=dispute, kind="note", text="Weak.")
        assert not note.is_shared
        with pytest.raises(UserError) as refused:
            pleading.file(actor=utility, dispute=dispute, kind="note", text="Hm.")
        assert refused.value.code == "DISPUTE-NOTE"

    def test_an_authority_speaks_only_in_what_is_before_it(self, world):
        dispute = disputed(world, "rto")
        with pytest.raises(NotPermitted):
            pleading.file(actor=world.user("rerra", "administrator"), dispute=dispute, kind="question", text="Why?", asked="edc")
        with pytest.raises(NotPermitted):
            pleading.file(actor=world.user("tso2", "administrator"), dispute=dispute, kind="question", text="Why?", asked="edc")

    def test_an_empty_text_is_refused(self, world, utility):
        with pytest.raises(UserError) as refused:
            pleading.file(actor=utility, dispute=disputed(world), kind="statement", text=" ")
        assert refused.value.code == "DISPUTE-TEXT"


class TestLevelsAndClocks:
    def test_either_party_takes_it_further_with_a_reason(self, world, utility):
        dispute = disputed(world)
        with pytest.raises(UserError):
            levels.move(actor=utility, dispute=dispute, name="escalate_to_rto", reason="")
        levels.move(actor=utility, dispute=dispute, name="escalate_to_rto", reason="They do not listen.")
        dispute.refresh_from_db()
        assert (dispute.status, dispute.level, dispute.turn) == ("at_rto", "rto", "aggregator")
        assert dispute.rto_since and dispute.clock_rule.key == "dispute_rto_days"
        with pytest.raises(TransitionRefused):
            levels.move(actor=utility, dispute=dispute, name="escalate_to_rto", reason="Again.")

    def test_the_rto_refers_and_the_aggregator_withdraws(self, world, aggregator):
        dispute = disputed(world, "rto")
        with pytest.raises(NotPermitted):
            levels.move(actor=aggregator, dispute=dispute, name="refer", reason="Please.")
        levels.move(actor=world.user("tso", "auditor"), dispute=dispute, name="refer", reason="A matter of the tariff.")
        with pytest.raises(NotPermitted):
            levels.move(actor=world.user("edc", "approver"), dispute=dispute, name="withdraw", reason="Enough.")
        assert destroying.held_parties() == {world.aggregator.pk, world.edc.pk}  # what is archived about them is not destroyed
        levels.move(actor=aggregator, dispute=dispute, name="withdraw", reason="We file again.")
        dispute.refresh_from_db()
        assert (dispute.status, dispute.outcome, dispute.turn) == ("withdrawn", "withdrawn", "") and dispute.closed_at
        assert destroying.held_parties() == set()
        assert "auditor@rerra.example.org" in told("dispute_closed")
        with pytest.raises(Conflict):
            pleading.file(actor=aggregator, dispute=dispute, kind="evidence", text="Late.", upload=pdf())

    def test_the_beat_escalates_level_by_level_and_tells_once_when_nobody_is_left(self, world):
        dispute, now = disputed(world), timezone.now()
        assert clocks.check_clocks(now)["escalated"] == 0
        for status in ("at_rto", "at_rerra"):
            dispute.refresh_from_db()
            assert clocks.check_clocks(dispute.due_at)["escalated"] == 1
            dispute.refresh_from_db()
            assert dispute.status == status
        later = dispute.due_at + timedelta(days=1)
        assert clocks.check_clocks(later)["overdue"] == 1
        assert clocks.check_clocks(later)["overdue"] == 0
        assert "auditor@rerra.example.org" in told("dispute_overdue")

    def test_the_law_says_where_it_goes(self, world):
        dispute = disputed(world)
        with acting(None, "system: tests"):
            RuleSet.objects.create(key="dispute_next_level", authority="tso", value="rerra", valid_during=("2020-01-01", None), source="-")
        clocks.check_clocks(dispute.due_at)
        dispute.refresh_from_db()
        assert dispute.status == "at_rerra"

    def test_a_missed_turn_passes_on(self, world):
        dispute = disputed(world)
        assert clocks.check_clocks(dispute.turn_due_at)["passed"] == 1
        dispute.refresh_from_db()
        assert dispute.turn == "aggregator" and told("dispute_turn") == {
            "approver@aggregator.example.org",
            "administrator@aggregator.example.org",
        }

    def test_an_rto_less_utility_goes_to_the_regulator(self, world, aggregator):
        with acting(None, "system: tests"):
            profile = world.edc.utility
            profile.tso = None
            profile.save(update_fields=["tso"])
        world.edc.refresh_from_db()
        dispute = disputed(world)
        with pytest.raises(Conflict) as refused:
            levels.move(actor=aggregator, dispute=dispute, name="escalate_to_rto", reason="No answer.")
        assert refused.value.code == "DISPUTE-AUTHORITY"
        clocks.check_clocks(dispute.due_at)
        dispute.refresh_from_db()
        assert dispute.status == "at_rerra"
