"""The RTO or the regulator determines: one person drafts with reasons, another confirms; it is printed, kept, and carried out (¶299)."""

from decimal import Decimal

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.documents import letters
from moc.documents.models import Document
from moc.documents.services import store
from moc.errors import Conflict, UserError
from moc.history import acting
from registry.submissions.models import Decision
from settlement.disputes.endings import Determination
from settlement.disputes.models import DETERMINE, HEAR, Dispute, DisputePart
from settlement.disputes.services import endings, settling
from settlement.disputes.services.parties import DECIDER, hold, tell_sides

Outcome, Status = Determination.Outcome, Determination.Status
EFFECTS = {Outcome.OVERTURNED: Decision.Kind.APPROVE, Outcome.VARIED: Decision.Kind.APPROVE_LIMITED}
TEMPLATE = "documents/determination.html"


def propose(
    *,
    actor,
    dispute: Dispute,
    outcome: str,
    reasons: str,
    export_limit_kw: Decimal | None = None,
    import_limit_kw: Decimal | None = None,
    inverter_settings: dict | None = None,
) -> Determination:
    """Draft a determination for the authority before which the dispute is; only its own people see it until another one confirms it."""
    require_authority(actor, HEAR, dispute)
    limits = settling.require_limits(outcome == Outcome.VARIED, export_limit_kw, import_limit_kw, inverter_settings)
    if outcome not in Outcome.values:
        raise UserError("Unknown outcome.", f"Choose one of {', '.join(Outcome.values)}.", "DETERMINATION-OUTCOME")
    if not reasons.strip():
        raise UserError("A determination has reasons.", "Write them: the parties read them.", "DETERMINATION-REASONS")
    with transaction.atomic(), acting(actor, "Drafted a determination"):
        held = hold(dispute)
        require_authority(actor, HEAR, held)
        if Determination.objects.filter(dispute=held, status=Status.PROPOSED).exists():
            raise Conflict("A draft waits for its confirmation.", "Have it confirmed, or not confirmed.", "DETERMINATION-STANDING")
        made = Determination.objects.create(
            dispute=held,
            authority=held.authority,
            level=held.level,
            outcome=outcome,
            reasons=reasons.strip(),
            proposed_by=actor,
            proposed_at=timezone.now(),
            **limits,
        )
        subject = f"{held}: a determination awaits confirmation"
        tell_sides(held, DECIDER[held.status], event="dispute_drafted", subject=subject, author=actor, colleagues=True)
    return made


def require_authority(actor, permission: str, dispute: Dispute) -> None:
    """The actor holds the permission in the authority before which the dispute is. Raises Conflict where it is before none."""
    if dispute.authority is None:
        raise Conflict("The dispute is before neither the RTO nor the regulator.", "A party takes it there.", "DISPUTE-LEVEL")
    policy.require(actor, permission, dispute.authority)


def move(*, actor, determination: Determination, name: str, reason: str = "") -> Determination:
    """Confirm or do not confirm a draft. Raises UserError for one's own draft (four eyes), Conflict where the level is another by now."""
    policy.require(actor, DETERMINE, determination.authority)
    with transaction.atomic(), acting(actor, reason or f"Determination: {name}"):
        held = hold(determination.dispute)
        rows = Determination.objects.filter(pk=determination.pk)
        found = rows.select_for_update(of=("self",)).select_related("authority", "proposed_by").get()
        if found.status != Status.PROPOSED:
            raise Conflict("This draft is not open any more.", "Reload the page.", "DETERMINATION-CLOSED")
        if name == "confirm":
            _confirm(held, found, actor)
        else:
            Determination.lifecycle.move(rows, name, actor=actor, reason=reason)
        found.refresh_from_db()
    return found


def _confirm(dispute: Dispute, draft: Determination, actor) -> None:
    if actor == draft.proposed_by:
        raise UserError("A determination is confirmed by another person than the one who drafted it.", "Ask a colleague.", "FOUR-EYES")
    if draft.authority != dispute.authority:
        raise Conflict("The dispute is before another authority by now.", "Do not confirm this draft.", "DISPUTE-LEVEL")
    kind = EFFECTS.get(Outcome(draft.outcome))
    decision = None
    if kind:
        limits = {name: getattr(draft, name) for name in settling.EFFECTS}
        given = {"actor": actor, "statement": draft.reasons, "decided_by": draft.proposed_by, "authority": draft.authority}
        decision = endings.carry_out(dispute, kind, **given, **limits)
    confirmed = {"confirmed_by": actor, "confirmed_at": timezone.now(), "decision": decision}
    letter, kept = _print(dispute, draft, confirmed["confirmed_at"], actor)
    values = confirmed | {"code": letter.code, "document": kept, "document_sha256": letter.sha256}
    reason = f"Determined: {draft.get_outcome_display()}"
    Determination.lifecycle.move(Determination.objects.filter(pk=draft.pk), "confirm", actor=actor, reason=reason, **values)
    endings.lapse(dispute, actor)
    endings.close(dispute, "determine", draft.outcome, actor=actor, reason=reason, event="dispute_determined", determination=draft)


def _print(dispute: Dispute, draft: Determination, moment, actor) -> tuple[letters.Letter, Document]:
    """The determination as one sealed letter: its code is checked by anybody, its hash stands in the record, the file is kept."""
    shared = DisputePart.objects.filter(dispute=dispute, is_shared=True).select_related("author").order_by("id")
    context = {"dispute": dispute, "determination": draft, "confirmed_at": moment, "parts": shared}
    letter, content = letters.issue("determination", TEMPLATE, context, actor=actor, issuer=draft.authority, recipient=dispute.aggregator)
    upload = ContentFile(content, name=f"determination-{draft.uuid}.pdf")
    kept = store(actor=actor, owner=draft.authority, kind=Document.Kind.LETTER, upload=upload)
    return letter, kept


@sight.engine()  # the reader has been found to see the determination; the file's own record is the authority's
def letter_of(determination: Determination) -> Document | None:
    """The kept letter of a determination that the caller has found within the reader's scope."""
    return Document.objects.filter(pk=determination.document_id).first()
