"""What screens show of disputes: the file in order, what stands open, the dashboard by utility, a bundle as lines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Extract
from django.utils import timezone

from moc import charts
from moc.access import policy
from registry.submissions.reports import last_day
from settlement.disputes.models import BundleItem, Dispute, DisputePart

AGES = ((7, "up to a week"), (30, "up to 30 days"), (90, "up to 90 days"), (None, "longer"))
DAY = 86_400  # seconds
STANDING = Q(closed_at__isnull=True)


@dataclass(frozen=True)
class ByUtility:
    """One utility's disputes in figures. `mean_days` is how long those took that are closed; None without one."""

    edc: int
    utility: str
    standing: int
    levels: tuple[int, ...]
    overdue: int
    outcomes: tuple[int, ...]
    mean_days: float | None

    @property
    def closed(self) -> int:
        return sum(self.outcomes)


def parts_of(dispute: int, user) -> list[DisputePart]:
    """The file of a dispute (its key) as the user may read it, in order, each question with its `answer` and `last_day`."""
    found = list(DisputePart.objects.visible_to(user).filter(dispute=dispute).select_related("author", "answers").order_by("id"))
    answers = {part.answers_id: part for part in found if part.answers_id}
    for part in found:
        part.answer, part.last_day = answers.get(part.pk), last_day(part.due_at)
    return found


def seen(rows: QuerySet, user) -> QuerySet:
    """The rows within the user's scope."""
    return policy.scope(rows, user, "view_registry")


def by_utility(user) -> list[ByUtility]:
    """Every utility with disputes within the user's scope, the most standing ones first; one query."""
    took = Extract(ExpressionWrapper(F("closed_at") - F("opened_at"), output_field=DurationField()), "epoch")
    figures = {
        "standing": Count("pk", filter=STANDING),
        "overdue": Count("pk", filter=STANDING & Q(due_at__lte=timezone.now())),
        "took": Avg(took, filter=~STANDING),
        **{f"level_{level}": Count("pk", filter=STANDING & Q(level=level)) for level in Dispute.Level},
        **{f"outcome_{outcome}": Count("pk", filter=Q(outcome=outcome)) for outcome in Dispute.Outcome},
    }
    rows = seen(Dispute.objects.order_by(), user).values("edc_id", "edc__name").annotate(**figures).order_by("-standing", "edc__name")
    return [
        ByUtility(
            row["edc_id"],
            row["edc__name"],
            row["standing"],
            tuple(row[f"level_{level}"] for level in Dispute.Level),
            row["overdue"],
            tuple(row[f"outcome_{outcome}"] for outcome in Dispute.Outcome),
            None if row["took"] is None else float(row["took"]) / DAY,
        )
        for row in rows
    ]


def by_age(user) -> charts.Chart:
    """Standing disputes within the user's scope by the days since they were opened."""
    now, since, counts = timezone.now(), None, {}
    for days, label in AGES:
        older = Q() if since is None else Q(opened_at__lt=now - timedelta(days=since))
        younger = Q() if days is None else Q(opened_at__gte=now - timedelta(days=days))
        counts[label], since = Count("pk", filter=older & younger), days
    names = {f"age_{number}": count for number, count in enumerate(counts.values())}
    found = seen(Dispute.objects.standing().order_by(), user).aggregate(**names)
    rows = list(zip(counts, found.values(), strict=True))
    return charts.bar_chart(rows, identity="disputes-age", title="Standing disputes by age", unit="disputes", category="Age")


def by_level(figures: list[ByUtility]) -> charts.Chart:
    """Standing disputes by level."""
    rows = [(level.label, sum(each.levels[place] for each in figures)) for place, level in enumerate(Dispute.Level)]
    return charts.bar_chart(rows, identity="disputes-level", title="Standing disputes by level", unit="disputes", category="Level")


def by_outcome(figures: list[ByUtility]) -> charts.Chart:
    """Closed disputes by outcome."""
    rows = [(outcome.label, sum(each.outcomes[place] for each in figures)) for place, outcome in enumerate(Dispute.Outcome)]
    return charts.bar_chart(rows, identity="disputes-outcome", title="Closed disputes by outcome", unit="disputes", category="Outcome")


def bundle_lines(dispute: Dispute, items: QuerySet[BundleItem]) -> Iterator[bytes]:
    """A bundle as NDJSON: what it is, then each record; `sha256` is the hash of the text in `content`, byte by byte."""
    whole = {"dispute": str(dispute.uuid), "title": dispute.title, "records": dispute.bundle_count, "bundle_sha256": dispute.bundle_sha256}
    yield _line(whole)
    names = ("kind", "source", "source_key", "audience", "stood_at", "sha256", "content")
    for row in items.order_by("id").values(*names).iterator(chunk_size=1_000):
        yield _line({**row, "stood_at": row["stood_at"].isoformat()})


def _line(value: dict) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
