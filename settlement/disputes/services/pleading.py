"""What is put to the file of a dispute: statements in turn, evidence, questions and answers, meetings, a decider's notes."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from moc import sight
from moc.documents.models import Document
from moc.documents.services import store
from moc.errors import Conflict, UserError
from moc.history import acting
from settlement.disputes.models import PARTIES, Dispute, DisputePart, Side
from settlement.disputes.services import clocks
from settlement.disputes.services.parties import DECIDER, OTHER, hold, require_side, tell_sides

Kind = DisputePart.Kind
DECIDERS = (Side.TSO, Side.RERRA)


def put(dispute: Dispute, side: str, kind: str, *, actor, text: str, upload=None, **facts) -> DisputePart:
    """Add a part; inside acting(), under the dispute's lock. The file is its author's, and opened by others through the part only."""
    author = dispute.organization(side)
    document = store(actor=actor, owner=author, kind=Document.Kind.EVIDENCE, upload=upload) if upload else None
    kept = {"document": document, "document_name": document.name, "document_sha256": document.sha256} if document else {}
    return DisputePart.objects.create(
        dispute=dispute, side=side, author=author, kind=kind, level=dispute.level, text=text.strip(), created_by=actor, **kept, **facts
    )


def file(*, actor, dispute: Dispute, kind: str, text: str, upload=None, is_shared: bool = True, **facts) -> DisputePart:
    """Put a statement, evidence, a question (`asked`: a side), a meeting (`held_at`, `attendees`) or a note to the file.

    Raises UserError for what it lacks, and Conflict for a statement out of turn, and for what is confidential while nobody but the other
    party reads the file.
    """
    side = require_side(actor, dispute)
    if not text.strip():
        raise UserError("The text is empty.", "Write what the others shall read.", "DISPUTE-TEXT")
    with transaction.atomic(), acting(actor, f"{Kind(kind).label} in a dispute"):
        held = hold(dispute)
        side = require_side(actor, held)
        facts |= _CHECKS[Kind(kind)](held, side, is_shared=is_shared, upload=upload, **facts)
        part = put(held, side, kind, actor=actor, text=text, upload=upload, **facts)
        if kind == Kind.STATEMENT:
            turn = clocks.turn_of(OTHER[side], held.tso, held.rerra, timezone.now())
            Dispute.objects.filter(pk=held.pk).update(**turn)
        _tell(held, part, actor)
    return part


def answer(*, actor, question: DisputePart, text: str, upload=None, is_shared: bool = True) -> DisputePart:
    """The side that was asked answers, once. Raises Conflict for a question that is answered, and for confidence between the parties."""
    require_side(actor, question.dispute, Side(question.asked))
    if not text.strip():
        raise UserError("The answer is empty.", "Write what was asked for.", "DISPUTE-TEXT")
    with transaction.atomic(), acting(actor, "Answered in a dispute"):
        held = hold(question.dispute)
        if DisputePart.objects.filter(answers=question).exists():
            raise Conflict("The question is answered.", "Reload the page.", "DISPUTE-ANSWERED")
        side = require_side(actor, held, Side(question.asked))
        _require_reader(held, side, is_shared)
        part = put(held, side, Kind.ANSWER, actor=actor, text=text, upload=upload, answers=question, is_shared=is_shared)
        _tell(held, part, actor)
    return part


@sight.engine()  # the reader has been found to see the part; the file's own record is its author's
def evidence_of(part: DisputePart) -> Document | None:
    """The file of a part that the caller has found within the reader's scope."""
    return Document.objects.filter(pk=part.document_id).first()


def _statement(dispute: Dispute, side: Side, *, is_shared: bool, upload) -> dict:
    if side != dispute.turn:
        who = dispute.organization(dispute.turn)
        raise Conflict(f"It is {who}'s turn.", "Evidence may be put to the file at any time.", "DISPUTE-TURN")
    if not is_shared:
        raise UserError("Statements are read by the other party.", "Put what is confidential to the file as evidence.", "DISPUTE-SHARED")
    return {}


def _evidence(dispute: Dispute, side: Side, *, is_shared: bool, upload) -> dict:
    if upload is None:
        raise UserError("Evidence is a file.", "Attach it.", "DISPUTE-FILE")
    _require_reader(dispute, side, is_shared)
    return {"is_shared": is_shared}


def _question(dispute: Dispute, side: Side, *, is_shared: bool, upload, asked: str = "") -> dict:
    others = {*PARTIES, *filter(None, [DECIDER.get(dispute.status)])} - {side}
    if asked not in others:
        raise UserError("Say who is asked.", f"Choose one of {', '.join(sorted(others))}.", "DISPUTE-ASKED")
    return {"asked": asked, "due_at": clocks.answer_due(dispute, timezone.now())}


def _meeting(dispute: Dispute, side: Side, *, is_shared: bool, upload, held_at: datetime | None = None, attendees: str = "") -> dict:
    if held_at is None or held_at > timezone.now():
        raise UserError("A meeting is logged once it was held.", "Give its day and hour.", "DISPUTE-MEETING")
    if not attendees.strip():
        raise UserError("Say who took part.", "Name them, or their offices.", "DISPUTE-MEETING")
    return {"held_at": held_at, "attendees": attendees.strip()}


def _note(dispute: Dispute, side: Side, *, is_shared: bool, upload) -> dict:
    if side not in DECIDERS:
        raise UserError("Notes are those of the decider.", "Put a statement or evidence to the file.", "DISPUTE-NOTE")
    return {"is_shared": False}


_CHECKS = {Kind.STATEMENT: _statement, Kind.EVIDENCE: _evidence, Kind.QUESTION: _question, Kind.MEETING: _meeting, Kind.NOTE: _note}


def _require_reader(dispute: Dispute, side: Side, is_shared: bool) -> None:
    """What is confidential is for a decider: between the parties nobody would read it."""
    if not is_shared and side in PARTIES and dispute.status not in DECIDER:
        raise Conflict(
            "Between the parties nothing is confidential: nobody else reads the file yet.",
            "Share it, or wait until the dispute is before the RTO or the regulator.",
            "DISPUTE-CONFIDENTIAL",
        )


def _tell(dispute: Dispute, part: DisputePart, actor) -> None:
    """Those who may read it; who is asked, by name of the side."""
    decider = DECIDER.get(dispute.status)
    readers = {*PARTIES, decider} if part.is_shared else {decider}
    sides = [part.asked] if part.asked else [side for side in readers - {None, part.side}]
    if part.kind == Kind.NOTE or not sides:
        return
    subject = f"{dispute}: {part.get_kind_display().lower()} of {part.author}"
    tell_sides(dispute, *sides, event="dispute_part", subject=subject, author=actor, part=part)
