"""A dispute goes to the RTO or the regulator by a party's word, is referred by the RTO, or is withdrawn by who brought it."""

from django.db import transaction

from moc.errors import Conflict, UserError
from moc.history import acting
from settlement.disputes.models import PARTIES, Dispute, DisputePart, Side
from settlement.disputes.services import clocks, endings
from settlement.disputes.services.parties import OTHER, hold, require_side
from settlement.disputes.services.pleading import put

Level, Outcome = Dispute.Level, Dispute.Outcome
TARGETS = {"escalate_to_rto": Level.RTO, "escalate_to_rerra": Level.RERRA, "refer": Level.RERRA}
NOBODY = {Level.RTO: "This utility is in no RTO's area.", Level.RERRA: "No regulator of this utility is known."}


def move(*, actor, dispute: Dispute, name: str, reason: str) -> Dispute:
    """Make one of the moves that people make: take it to the next level, refer it, withdraw it. Each for a reason, which all read."""
    if name == "withdraw":
        return withdraw(actor=actor, dispute=dispute, reason=reason)
    return escalate(actor=actor, dispute=dispute, name=name, reason=reason)


def escalate(*, actor, dispute: Dispute, name: str, reason: str) -> Dispute:
    """Take it to the RTO or the regulator (either party), or refer it (the RTO): the reason is a statement, and the other has its turn.

    Raises Conflict where there is no such authority, or where the dispute is not at a level from which it goes there.
    """
    sides = (Side.TSO,) if name == "refer" else PARTIES
    require_side(actor, dispute, *sides)
    _require_reason(reason)
    with transaction.atomic(), acting(actor, reason):
        held = hold(dispute)
        side, level = require_side(actor, held, *sides), TARGETS[name]
        if (held.tso if level == Level.RTO else held.rerra) is None:
            raise Conflict(NOBODY[level], "Take it to the other authority, or settle.", "DISPUTE-AUTHORITY")
        if side in PARTIES:
            held.turn = OTHER[side]
        clocks.raise_level(held, level, actor=actor, reason=reason, move=name)
        kind = DisputePart.Kind.STATEMENT if side in PARTIES else DisputePart.Kind.NOTE
        put(held, side, kind, actor=actor, text=reason)
    return held


def withdraw(*, actor, dispute: Dispute, reason: str) -> Dispute:
    """The aggregator gives it up; what the utility decided stands."""
    require_side(actor, dispute, Side.AGGREGATOR)
    _require_reason(reason)
    with transaction.atomic(), acting(actor, reason):
        held = hold(dispute)
        endings.lapse(held, actor)
        endings.close(held, "withdraw", Outcome.WITHDRAWN, actor=actor, reason=reason)
    return held


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise UserError("Say why: the others read it.", "Write the reason.", "REASON")
