"""Who speaks for which side, who is told, and the dispute under its lock."""

from moc.access import policy
from moc.access.models import Organization
from moc.errors import Conflict
from moc.notices.services import tell
from settlement.disputes.models import HEAR, PARTIES, PURSUE, Dispute, Side

KEYS = ("aggregator", "edc", "tso", "rerra", "clock_rule", "review__submission", "row")
DECIDER = {Dispute.Status.AT_RTO: Side.TSO, Dispute.Status.AT_RERRA: Side.RERRA}
OTHER = {Side.AGGREGATOR: Side.EDC, Side.EDC: Side.AGGREGATOR}


def side_of(user, dispute: Dispute) -> Side | None:
    """The side that `user` speaks for now: a party's, or the decider's before whom it is. None for those who only look."""
    for side in PARTIES:
        if policy.allows(user, PURSUE, dispute.organization(side)):
            return side
    decider = DECIDER.get(dispute.status)
    return decider if decider and policy.allows(user, HEAR, dispute.organization(decider)) else None


def require_side(actor, dispute: Dispute, *sides: Side) -> Side:
    """The side that `actor` speaks for, which must be one of `sides` where some are given. Raises NotPermitted."""
    side = side_of(actor, dispute)
    if side is None or (sides and side not in sides):
        raise policy.NotPermitted(f"{actor} may not do this in the dispute.")
    return side


def hold(dispute: Dispute) -> Dispute:
    """The dispute as it stands, until the transaction ends. Raises Conflict for a closed one. Taken before any lock of the registry."""
    held = Dispute.objects.select_for_update(of=("self",)).select_related(*KEYS).get(pk=dispute.pk)
    if not held.is_open:
        raise Conflict(f"The dispute is closed: {held.get_status_display().lower()}.", "Reload the page.", "DISPUTE-CLOSED")
    return held


def page_of(dispute: Dispute) -> str:
    """The address of the dispute."""
    return f"/settlement/disputes/{dispute.uuid}/"


def tell_sides(dispute: Dispute, *sides: str, event: str, subject: str, author=None, **context) -> None:
    """Tell the organisations on some sides (all that have to do with it where none is given): who pursues, or hears."""
    for side in sides or (*PARTIES, *filter(None, [DECIDER.get(dispute.status)])):
        organization: Organization | None = dispute.organization(side)
        if organization is not None:
            permission = PURSUE if side in PARTIES else HEAR
            tell(organization, permission, event=event, subject=subject, url=page_of(dispute), author=author, dispute=dispute, **context)
