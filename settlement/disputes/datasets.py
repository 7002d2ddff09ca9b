"""Disputes, to build reports on; and that they are resolved (¶299)."""

from collections.abc import Iterator
from datetime import date

from django.db.models import OuterRef, Q, Subquery
from django.urls import reverse, reverse_lazy

from moc.access import policy
from moc.reports.datasets import PERMISSION, Duty, Evidence, dataset, due_within, duties, evidence
from moc.seals.destroying import hold
from registry.submissions.reports import last_day
from settlement.disputes.models import Dispute, DisputePart

dataset(
    "disputes",
    "Disputes",
    Dispute,
    "title",
    "status",
    "level",
    "outcome",
    ("aggregator__name", "Aggregator"),
    ("edc__name", "Utility"),
    ("tso__name", "RTO"),
    ("rerra__name", "Regulator"),
    ("decision__reason_code", "Ground of the denial"),
    "opened_at",
    ("due_at", "End of the level"),
    "closed_at",
    about="Disputes about utilities' reviews, open and closed, with their level and outcome.",
)


@evidence("299")
def disputes(user) -> Evidence:
    """Disputes that the user may export."""
    return Evidence(
        "Disputes", policy.scope(Dispute.objects.all(), user, PERMISSION), "opened_at", str(reverse_lazy("settlement:dispute_list"))
    )


@hold
def parties() -> set[int]:
    """While a dispute is open, no archived row about its parties is destroyed."""
    return {party for pair in Dispute.objects.standing().values_list("aggregator_id", "edc_id") for party in pair}


CITES, AUTHORITIES = "¶299", ("at_rto", "at_rerra")


@duties
def statements(user, first: date, last: date) -> Iterator[Duty]:
    """The party whose turn it is states its side; the authority that a dispute is before determines it."""
    mine = policy.scope(Dispute.objects.all(), user, PERMISSION).select_related("aggregator", "edc", "tso", "rerra")
    for each in mine.exclude(turn="").filter(**due_within("turn_due_at", first, last)).order_by("turn_due_at"):
        yield Duty(each.organization(each.turn).name, f"State your side: {each.title}", CITES, last_day(each.turn_due_at), url=_page(each))
    before = Q(status__in=AUTHORITIES) | Q(status="determined", level__in=("rto", "rerra"))
    for each in mine.filter(before, **due_within("due_at", first, last)).order_by("due_at"):
        authority, receipt = getattr(each, {"rto": "tso", "rerra": "rerra"}[each.level]), str(each.uuid) if each.closed_at else ""
        yield Duty(authority.name, f"Determine: {each.title}", CITES, last_day(each.due_at), each.closed_at, receipt, _page(each))


@duties
def answers(user, first: date, last: date) -> Iterator[Duty]:
    """Who is asked for information in a dispute answers; the first answer is the receipt."""
    answers = DisputePart.objects.filter(answers=OuterRef("pk")).order_by("pk")
    rows = policy.scope(DisputePart.objects.filter(kind="question", **due_within("due_at", first, last)), user, PERMISSION)
    rows = rows.annotate(answered_at=Subquery(answers.values("created_at")[:1]), receipt=Subquery(answers.values("uuid")[:1]))
    for each in rows.select_related("dispute__aggregator", "dispute__edc", "dispute__tso", "dispute__rerra").order_by("due_at"):
        receipt, dispute = str(each.receipt or ""), each.dispute
        what = f"Answer a request: {dispute.title}"
        yield Duty(dispute.organization(each.asked).name, what, CITES, last_day(each.due_at), each.answered_at, receipt, _page(dispute))


def _page(dispute: Dispute) -> str:
    return reverse("settlement:dispute", args=[dispute.uuid])
