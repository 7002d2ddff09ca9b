"""Settlement by agreement: one party proposes terms, the other agrees, and what they agreed takes effect on the record."""

from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from moc.errors import Conflict, UserError
from moc.history import acting
from registry.submissions.services.reviewing import checked_settings
from settlement.disputes.endings import SettlementProposal
from settlement.disputes.models import PARTIES, Dispute, Side
from settlement.disputes.services import endings
from settlement.disputes.services.parties import OTHER, hold, require_side, tell_sides

Effect, Status = SettlementProposal.Effect, SettlementProposal.Status
EFFECTS = ("export_limit_kw", "import_limit_kw", "inverter_settings")  # what an approval with limits sets
MOVES = ("accept", "decline", "withdraw")


def propose(
    *,
    actor,
    dispute: Dispute,
    terms: str,
    effect: str,
    export_limit_kw: Decimal | None = None,
    import_limit_kw: Decimal | None = None,
    inverter_settings: dict | None = None,
) -> SettlementProposal:
    """A party proposes how to end it. Raises UserError for what the proposal lacks, Conflict while another one waits for its answer."""
    require_side(actor, dispute, *PARTIES)
    limits = require_limits(effect == Effect.APPROVE_LIMITED, export_limit_kw, import_limit_kw, inverter_settings)
    if effect not in Effect.values:
        raise UserError("Unknown effect.", f"Choose one of {', '.join(Effect.values)}.", "PROPOSAL-EFFECT")
    if not terms.strip():
        raise UserError("Write the terms.", "Say what each party does.", "PROPOSAL-TERMS")
    with transaction.atomic(), acting(actor, "Proposed a settlement"):
        held = hold(dispute)
        side = require_side(actor, held, *PARTIES)
        if SettlementProposal.objects.filter(dispute=held, status=Status.PROPOSED).exists():
            raise Conflict("Another proposal waits for its answer.", "Answer it, or withdraw it.", "PROPOSAL-STANDING")
        made = SettlementProposal.objects.create(
            dispute=held, side=side, terms=terms.strip(), effect=effect, proposed_by=actor, proposed_at=timezone.now(), **limits
        )
        subject = f"{held}: {held.organization(side)} proposes a settlement"
        tell_sides(held, OTHER[side], event="dispute_proposal", subject=subject, author=actor, proposal=made)
    return made


def require_limits(limited: bool, export_limit_kw: Decimal | None, import_limit_kw: Decimal | None, inverter_settings: dict | None) -> dict:
    """The limits and settings of what approves with limits; none otherwise. Raises UserError where there is no limit, or a negative one,
    and for settings that no inverter takes."""
    limits = {"export_limit_kw": export_limit_kw, "import_limit_kw": import_limit_kw} if limited else {}
    given = [limit for limit in limits.values() if limit is not None]
    if limited and not given:
        raise UserError("An approval with limits needs a limit.", "Give an export or an import limit.", "DECISION-LIMITS")
    if any(limit < 0 for limit in given):
        raise UserError("Limits are magnitudes.", "Give limits of zero or more.", "DECISION-LIMITS")
    return limits | ({"inverter_settings": checked_settings(inverter_settings)} if limited else {})


def move(*, actor, proposal: SettlementProposal, name: str, reason: str = "") -> SettlementProposal:
    """Agree or decline (the other party), or withdraw (the one that proposed). Agreeing closes the dispute and carries the terms out.

    Raises Conflict where the proposal or the dispute is not open any more, or where the record can no longer be changed so.
    """
    other = OTHER[Side(proposal.side)]
    sides = (Side(proposal.side),) if name == "withdraw" else (other,)
    require_side(actor, proposal.dispute, *sides)
    with transaction.atomic(), acting(actor, reason or f"Settlement: {name}"):
        held = hold(proposal.dispute)
        require_side(actor, held, *sides)
        rows = SettlementProposal.objects.filter(pk=proposal.pk)
        answered = {} if name == "withdraw" else {"answered_by": actor, "answered_at": timezone.now()}
        SettlementProposal.lifecycle.move(rows, name, actor=actor, reason=reason, **answered)
        found = rows.select_related("proposed_by").get()
        if name == "accept":
            _agreed(held, found, actor)
        else:
            subject = f"{held}: the proposal was {found.get_status_display().lower()}"
            told = OTHER[sides[0]]
            tell_sides(held, told, event="dispute_answered", subject=subject, author=actor, proposal=found, reason=reason)
        found.refresh_from_db()
    return found


def _agreed(dispute: Dispute, proposal: SettlementProposal, actor) -> None:
    """Carry the agreed terms out, and close."""
    if proposal.effect != Effect.NONE:
        limits = {name: getattr(proposal, name) for name in EFFECTS}
        decision = endings.carry_out(
            dispute, proposal.effect, actor=actor, statement=proposal.terms, decided_by=proposal.proposed_by, **limits
        )
        SettlementProposal.objects.filter(pk=proposal.pk).update(decision=decision)
    endings.lapse(dispute, actor)
    endings.close(dispute, "settle", Dispute.Outcome.SETTLED, actor=actor, reason=f"Agreed: {proposal.terms}")
