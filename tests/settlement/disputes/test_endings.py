"""How disputes end, and what that does to the record: N4, N11; Order 2222 ¶299."""

import hashlib
import json
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from moc.access.policy import NotPermitted
from moc.documents import letters
from moc.documents import services as documents
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.models import Notice
from registry.ders.models import Der
from registry.submissions.services import reviewing
from settlement.disputes.endings import Determination, SettlementProposal
from settlement.disputes.services import clocks, determining, levels, opening, settling
from tests.factories.disputes import denied_review, disputed
from tests.factories.filings import reviewed, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def aggregator(world):
    return world.user("aggregator", "approver")


@pytest.fixture
def utility(world):
    return world.user("edc", "approver")


SETTINGS = {"power_factor": -0.95, "max_w": 80.0}


def drafted(world, dispute, outcome="overturned", side="rerra", **limits) -> Determination:
    auditor = world.user(side, "auditor")
    return determining.propose(actor=auditor, dispute=dispute, outcome=outcome, reasons="The photograph shows it.", **limits)


def confirmed(world, draft, side="rerra") -> Determination:
    return determining.move(actor=world.user(side, "administrator"), determination=draft, name="confirm")


def told(event: str) -> set[str]:
    return set(Notice.objects.filter(event=event).values_list("user__email", flat=True))


class TestSettling:
    def test_agreed_terms_take_effect_on_the_record(self, world, aggregator, utility):
        dispute = disputed(world)
        limit = Decimal("5.000")
        made = settling.propose(
            actor=utility,
            dispute=dispute,
            terms="5 kW, and we close.",
            effect="approve_limited",
            export_limit_kw=limit,
            inverter_settings={"max_w": 50},
        )
        with pytest.raises(Conflict) as refused:
            settling.propose(actor=aggregator, dispute=dispute, terms="7 kW.", effect="approve")
        assert refused.value.code == "PROPOSAL-STANDING"
        with pytest.raises(NotPermitted):
            settling.move(actor=utility, proposal=made, name="accept")
        settling.move(actor=aggregator, proposal=made, name="accept")
        dispute.refresh_from_db()
        der = Der.objects.get(external_id="A-1")
        assert (dispute.status, dispute.outcome, dispute.row.status) == ("settled", "settled", "approved_limited")
        assert der.export_limit_kw == limit and der.history.get().history_user == aggregator
        assert der.inverter_settings == {"max_w": 50.0}
        made.refresh_from_db()
        assert (made.decision.basis, made.decision.decided_by, made.decision.confirmed_by) == ("settlement", utility, aggregator)

    def test_a_declined_proposal_changes_nothing_but_makes_room(self, world, aggregator, utility):
        dispute = disputed(world)
        made = settling.propose(actor=aggregator, dispute=dispute, terms="Approve it.", effect="approve")
        settling.move(actor=utility, proposal=made, name="decline", reason="No.")
        assert not Der.objects.filter(external_id="A-1").exists()
        again = settling.propose(actor=aggregator, dispute=dispute, terms="Let it stand.", effect="none")
        settling.move(actor=utility, proposal=again, name="accept")
        dispute.refresh_from_db()
        assert dispute.outcome == "settled" and dispute.row.status == "denied"

    def test_what_a_proposal_lacks_is_refused(self, world, aggregator):
        dispute = disputed(world)
        for code, facts in (
            ("DECISION-LIMITS", {"terms": "x", "effect": "approve_limited"}),
            ("PROPOSAL-TERMS", {"terms": " ", "effect": "none"}),
            ("PROPOSAL-EFFECT", {"terms": "x", "effect": "burn"}),
        ):
            with pytest.raises(UserError) as refused:
                settling.propose(actor=aggregator, dispute=dispute, **facts)
            assert refused.value.code == code
        assert not SettlementProposal.objects.exists()

    def test_a_proposal_lapses_with_its_dispute(self, world, aggregator):
        dispute = disputed(world)
        made = settling.propose(actor=aggregator, dispute=dispute, terms="Approve it.", effect="approve")
        levels.move(actor=aggregator, dispute=dispute, name="withdraw", reason="We file again.")
        made.refresh_from_db()
        assert made.status == "withdrawn"


class TestDetermining:
    def test_a_denied_der_becomes_approved_with_history(self, world):
        dispute = disputed(world, "rerra")
        assert not Der.objects.filter(external_id="A-1").exists()
        done = confirmed(world, drafted(world, dispute))
        dispute.refresh_from_db()
        der = Der.objects.get(external_id="A-1")
        assert (dispute.status, dispute.outcome, dispute.row.status) == ("determined", "overturned", "approved")
        version = der.history.get()
        assert version.history_user == world.user("rerra", "administrator") and "end of a dispute" in version.history_change_reason
        decision = done.decision
        assert (decision.basis, decision.authority, decision.kind) == ("determination", world.rerra, "approve")
        assert dispute.decision.kind == "deny", "the denial stays on record"
        assert {"approver@aggregator.example.org", "approver@edc.example.org"} <= told("dispute_determined")

    def test_its_letter_is_kept_and_checked_by_anybody(self, world):
        done = confirmed(world, drafted(world, disputed(world, "rto"), side="tso"), side="tso")
        content = b"".join(documents.plain(determining.letter_of(done)))
        assert content.startswith(b"%PDF") and hashlib.sha256(content).hexdigest() == done.document_sha256
        found = letters.checked(done.code, content)
        assert found["same"] and found["issuer"] == world.tso.legal_name and found["kind"] == letters.KINDS["determination"]

    def test_four_eyes(self, world):
        dispute = disputed(world, "rerra")
        administrator = world.user("rerra", "administrator")
        draft = determining.propose(actor=administrator, dispute=dispute, outcome="upheld", reasons="It is so.")
        with pytest.raises(UserError) as refused:
            determining.move(actor=administrator, determination=draft, name="confirm")
        assert refused.value.code == "FOUR-EYES"
        with pytest.raises(NotPermitted):
            determining.move(actor=world.user("rerra", "auditor"), determination=draft, name="confirm")
        with pytest.raises(DatabaseError), transaction.atomic(), acting(None, "system: tests"):
            facts = {"status": "effective", "confirmed_by": administrator, "code": "c", "document_sha256": "d"}
            Determination.objects.filter(pk=draft.pk).update(**facts)

    @pytest.mark.parametrize(("outcome", "status"), [("upheld", "denied"), ("dismissed", "denied"), ("varied", "approved_limited")])
    def test_each_outcome_has_its_effect(self, world, outcome, status):
        limits = {"import_limit_kw": Decimal(3)} if outcome == "varied" else {}
        dispute = disputed(world, "rerra")
        confirmed(world, drafted(world, dispute, outcome, **limits))
        dispute.refresh_from_db()
        assert (dispute.outcome, dispute.row.status) == (outcome, status)
        assert Der.objects.filter(external_id="A-1").exists() == (outcome == "varied")

    def test_settings_of_the_inverter_are_part_of_the_effect(self, world, client_of):
        """¶299: the same settings, checked the same way, as an approval with limits of the utility carries."""
        dispute, limit = disputed(world, "rerra"), Decimal(4)
        with pytest.raises(UserError, match="Voltages rise") as refused:
            drafted(world, dispute, "varied", export_limit_kw=limit, inverter_settings={"volt_var": [[1.1, 0.4], [0.9, 0]]})
        assert refused.value.code == "DECISION-SETTINGS"
        with pytest.raises(UserError) as refused:
            drafted(world, dispute, "varied", inverter_settings=SETTINGS)
        assert refused.value.code == "DECISION-LIMITS"
        page = f"/settlement/disputes/{dispute.uuid}/determine/"
        said = {"outcome": "varied", "reasons": "It holds the voltage.", "export_limit_kw": "4", "inverter_settings": json.dumps(SETTINGS)}
        client = client_of(world.user("rerra", "auditor"))
        wrong = client.post(page, said | {"inverter_settings": '{"power_factor": 0.2}'})
        assert wrong.status_code == 422 and b"power_factor: Give 0.8 to 1" in wrong.content
        shown = client.get(client.post(page, said).url).content.decode()
        assert "Inverter settings" in shown and "0.95" in shown
        done = confirmed(world, Determination.objects.get())
        der = Der.objects.get(external_id="A-1")
        assert der.inverter_settings == SETTINGS == done.decision.inverter_settings and der.export_limit_kw == limit
        assert der.history.get().inverter_settings == SETTINGS

    def test_a_whole_review_is_overturned(self, world, aggregator):
        dispute = opening.open_dispute(actor=aggregator, review=denied_review(world), claim="All of it.")
        levels.escalate(actor=aggregator, dispute=dispute, name="escalate_to_rerra", reason="The law of the state.")
        dispute.refresh_from_db()
        done = confirmed(world, drafted(world, dispute))
        assert done.decision.row_count == 1 and Der.objects.filter(external_id__in=["A-1", "A-2"]).count() == 2

    def test_only_the_authority_before_which_it_is_determines(self, world):
        between = disputed(world)
        with pytest.raises(Conflict) as refused:
            drafted(world, between)
        assert refused.value.code == "DISPUTE-LEVEL"
        levels.escalate(actor=world.user("aggregator", "approver"), dispute=between, name="escalate_to_rto", reason="No answer.")
        between.refresh_from_db()
        with pytest.raises(NotPermitted):
            drafted(world, between)
        draft = drafted(world, between, side="tso")
        levels.move(actor=world.user("tso", "auditor"), dispute=between, name="refer", reason="A tariff.")
        draft.refresh_from_db()
        assert draft.status == "rejected", "a draft ends with its level"

    def test_a_draft_ends_with_its_level_by_the_clock_too(self, world):
        dispute = disputed(world, "rto")
        draft = drafted(world, dispute, side="tso")
        clocks.check_clocks(dispute.due_at)
        draft.refresh_from_db()
        dispute.refresh_from_db()
        assert (draft.status, dispute.status) == ("rejected", "at_rerra")
        assert drafted(world, dispute).authority == world.rerra

    def test_rows_that_retention_let_go_leave_the_dispute_readable(self, world, client_of):
        dispute = disputed(world, "rerra")
        dispute.row.delete()
        page = client_of(world.user("rerra", "auditor")).get(f"/settlement/disputes/{dispute.uuid}/")
        assert page.status_code == 200 and dispute.bundle_sha256.encode() in page.content
        with pytest.raises(Conflict) as refused:
            confirmed(world, drafted(world, dispute))
        assert refused.value.code == "DISPUTE-MOOT"

    def test_an_unconfirmed_draft_makes_room_for_another(self, world):
        dispute = disputed(world, "rerra")
        draft = drafted(world, dispute)
        with pytest.raises(Conflict) as refused:
            drafted(world, dispute)
        assert refused.value.code == "DETERMINATION-STANDING"
        with pytest.raises(UserError):
            determining.move(actor=world.user("rerra", "administrator"), determination=draft, name="reject")
        determining.move(actor=world.user("rerra", "administrator"), determination=draft, name="reject", reason="Reasons are thin.")
        assert drafted(world, dispute, "upheld").status == "proposed"

    def test_what_is_overtaken_is_told_and_nothing_is_changed(self, world, aggregator):
        dispute = disputed(world, "rerra")
        draft = drafted(world, dispute)
        again = reviewed(world, [row(1)])
        reviewing.decide(actor=world.user("edc", "reviewer"), review=again, rows=again.submission.rows.all(), kind="approve")
        with pytest.raises(Conflict) as refused:
            confirmed(world, draft)
        assert "dismiss it" in refused.value.remedy
        dispute.refresh_from_db()
        assert dispute.status == "at_rerra" and dispute.row.status == "denied"

    def test_what_a_draft_lacks_is_refused(self, world):
        dispute = disputed(world, "rerra")
        auditor = world.user("rerra", "auditor")
        for code, facts in (
            ("DETERMINATION-REASONS", {"outcome": "upheld", "reasons": ""}),
            ("DETERMINATION-OUTCOME", {"outcome": "maybe", "reasons": "x"}),
            ("DECISION-LIMITS", {"outcome": "varied", "reasons": "x"}),
        ):
            with pytest.raises(UserError) as refused:
                determining.propose(actor=auditor, dispute=dispute, **facts)
            assert refused.value.code == code
