"""What disputes add to each role's home page."""

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from moc.access import policy
from moc.portal.queues import Work, queue
from settlement.disputes.endings import Determination, SettlementProposal
from settlement.disputes.models import DETERMINE, HEAR, PARTIES, PURSUE, Dispute, DisputePart, Side
from settlement.disputes.queries import OPEN

ENTRY, NEEDS = "settlement:dispute_list", ("uuid", "title")


def _page(row: dict) -> tuple[str, str]:
    return row["title"], reverse("settlement:dispute", args=[row["uuid"]])


def _of(name: str):
    """The page of the dispute that something belongs to."""
    return lambda row: (row[f"{name}__title"], reverse("settlement:dispute", args=[row[f"{name}__uuid"]]))


def _before(user, permission: str) -> Q:
    """The disputes that are before an authority in which the user holds the permission."""
    reach = policy.reach(user, permission)
    return Q(status=Dispute.Status.AT_RTO, tso__in=reach) | Q(status=Dispute.Status.AT_RERRA, rerra__in=reach)


@queue
def turns(user) -> Work | None:
    """Disputes in which it is the turn of the user's party."""
    reach = policy.reach(user, PURSUE)
    if not reach:
        return None
    mine = Q(turn=Side.AGGREGATOR, aggregator__in=reach) | Q(turn=Side.EDC, edc__in=reach)
    hint = "State your side, settle, or take it further."
    return Work(
        "Disputes: your turn", reverse(ENTRY), Dispute.objects.standing().filter(mine), hint, 14, "turn_due_at", NEEDS, _page, ENTRY
    )


@queue
def questions(user) -> Work | None:
    """Requests for information in disputes that the user's side has not answered."""
    pursuing, hearing = policy.reach(user, PURSUE), policy.reach(user, HEAR)
    if not pursuing and not hearing:
        return None
    asked = Q(pk__in=[])
    for side in Side:
        asked |= Q(asked=side, **{f"dispute__{side}__in": pursuing if side in PARTIES else hearing})
    answered = DisputePart.objects.filter(answers=OuterRef("pk"))
    rows = DisputePart.objects.filter(asked, ~Exists(answered), dispute__status__in=OPEN)
    needs = ("dispute__uuid", "dispute__title")
    return Work("Disputes: questions to you", reverse(ENTRY), rows, "Answer in the file.", 13, "due_at", needs, _of("dispute"), ENTRY)


@queue
def proposals(user) -> Work | None:
    """Proposals of the other party that wait for an answer."""
    reach = policy.reach(user, PURSUE)
    if not reach:
        return None
    theirs = Q(side=Side.AGGREGATOR, dispute__edc__in=reach) | Q(side=Side.EDC, dispute__aggregator__in=reach)
    rows = SettlementProposal.objects.filter(theirs, status=SettlementProposal.Status.PROPOSED)
    needs = ("dispute__uuid", "dispute__title")
    return Work(
        "Disputes: proposals to answer", reverse(ENTRY), rows, "Agree, or decline.", 16, "dispute__due_at", needs, _of("dispute"), ENTRY
    )


@queue
def to_determine(user) -> Work | None:
    """Disputes before the user's RTO or regulator, without a draft."""
    if not policy.reach(user, HEAR):
        return None
    drafted = Determination.objects.filter(dispute=OuterRef("pk"), status=Determination.Status.PROPOSED)
    rows = Dispute.objects.filter(_before(user, HEAR), ~Exists(drafted))
    return Work("Disputes to determine", reverse(ENTRY), rows, "Hear both sides, then draft.", 12, "due_at", NEEDS, _page, ENTRY)


@queue
def to_confirm(user) -> Work | None:
    """Determinations that another person of the authority drafted."""
    reach = policy.reach(user, DETERMINE)
    if not reach:
        return None
    rows = Determination.objects.filter(status=Determination.Status.PROPOSED, authority__in=reach).exclude(proposed_by=user)
    hint, needs = "A second person confirms a determination.", ("uuid", "dispute__title")
    return Work("Determinations to confirm", reverse(ENTRY), rows, hint, 11, "dispute__due_at", needs, _draft, ENTRY)


def _draft(row: dict) -> tuple[str, str]:
    return row["dispute__title"], reverse("settlement:determination", args=[row["uuid"]])
