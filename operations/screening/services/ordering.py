"""Screens of reviews: which are due, their computation, and their adoption in the decision."""

import csv
import io
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from moc.access import policy
from moc.documents.models import Document
from moc.documents.services import store
from moc.errors import UserError
from moc.history import acting
from operations.computed import services as computed
from operations.interconnection.services.adopting import OPEN
from operations.network.models import NetworkPoint, NetworkVersion
from operations.outages.services import log
from operations.screening.models import ReviewScreen, ScreenFinding
from registry.submissions.models import Decision, StagedDer, UtilityReview
from registry.submissions.services import reviewing

PERMISSION, SYSTEM = "review_ders", "system: a review is screened"
LOOKS_BACK = timedelta(days=1)
UNDER_REVIEW = (UtilityReview.Status.OPEN, UtilityReview.Status.INFO_REQUESTED, UtilityReview.Status.ESCALATED)
HEADER = ("external_id", "direction", "filed_kw", "always_possible_kw", "least_in_month", "at_hour", "what_binds")


def due(now: datetime | None = None) -> list[ReviewScreen]:
    """Order a screen of each review under way on each network behind which its DERs would be, where the review or the network is new.

    Idempotent by review, feeder and topology; returns those that were ordered."""
    since = (now or timezone.now()) - LOOKS_BACK
    pairs = set()
    reviews = UtilityReview.objects.filter(status__in=UNDER_REVIEW)
    for review in reviews.filter(started_at__gte=since).order_by("pk"):
        feeders = StagedDer.objects.of_review(review).filter(status__in=OPEN).order_by().values("service_point__feeder")
        pairs |= {(review, version) for version in _current().filter(feeder__in=feeders)}
    for version in _current().filter(valid_from__gte=since):
        there = StagedDer.objects.filter(submission=OuterRef("submission"), service_point__feeder=version.feeder_id, status__in=OPEN)
        pairs |= {(review, version) for review in reviews.filter(Exists(there), edc=version.edc_id)}
    ordered = [order(review, version) for review, version in sorted(pairs, key=lambda pair: (pair[0].pk, pair[1].pk))]
    return [each for each in ordered if each is not None]


def _current() -> QuerySet[NetworkVersion]:
    return NetworkVersion.objects.filter(status=NetworkVersion.Status.CURRENT).select_related("feeder")


def order(review: UtilityReview, version: NetworkVersion) -> ReviewScreen | None:
    """Order a review's screen on a network; None where there is one, or nothing to screen."""
    key, facts = computed.of(version)
    key |= {"review": review}
    if ReviewScreen.objects.filter(**key).exists() or not rows_of(review, version).exists():
        return None
    title = f"Screen: {review.submission} on {version.feeder}"
    screen, made = computed.ordered(ReviewScreen, key, facts, actor=None, reason=SYSTEM, title=title)
    return screen if made else None


def rows_of(review: UtilityReview, version: NetworkVersion) -> QuerySet[StagedDer]:
    """The rows of a review that are not decided and would be connected behind points of a network."""
    points = NetworkPoint.objects.filter(version=version, service_point__isnull=False).values("service_point")
    rows = StagedDer.objects.of_review(review).filter(status__in=OPEN, service_point__in=points, decommissioned_on__isnull=True)
    return rows.order_by("row_number")


def again(*, actor, screen: ReviewScreen, reason: str = "") -> None:
    """Screen once more, with what is registered and measured by now. Raises NotPermitted, TransitionRefused."""
    policy.require(actor, PERMISSION, screen.edc)
    computed.again(actor=actor, found=screen, reason=reason or "Screened again")


def proposals(screen: ReviewScreen) -> QuerySet[ScreenFinding]:
    """The findings of rows that are not decided yet."""
    return ScreenFinding.objects.filter(screen=screen, row__status__in=OPEN).select_related("row").order_by("row__row_number", "direction")


def adopt(*, actor, screen: ReviewScreen, rows: list[int] | None = None, statement: str = "") -> list[Decision]:
    """Approve DERs with the limits that the screen proposes, in one transaction; the screen's figures are the decisions' evidence.

    rows: their numbers in the submission, all that lack room by default. Raises NotPermitted, UserError (SCREEN-OUTDATED, SCREEN-NOTHING),
    and what a decision raises."""
    policy.require(actor, PERMISSION, screen.edc)
    if not _current().filter(feeder=screen.feeder_id, topology_hash=screen.topology_hash).exists():
        raise UserError("The feeder's network is another now.", "Wait for its screen, and adopt that one.", "SCREEN-OUTDATED")
    found = [each for each in proposals(screen) if rows is None or each.row.row_number in rows]
    if not found:
        raise UserError("rows: none of these DERs waits and lacks room.", "Choose rows that the screen limits.", "SCREEN-NOTHING")
    by_row: dict[int, dict] = defaultdict(dict)
    for each in found:
        by_row[each.row_id][f"{each.direction}_limit_kw"] = Decimal(str(each.limit_kw))
    same: dict[tuple, list[int]] = defaultdict(list)
    for row, limits in by_row.items():
        same[tuple(sorted(limits.items()))].append(row)
    said = statement.strip() or f"Deliverable on feeder {screen.feeder.code}, as screened on {timezone.localdate(screen.computed_at)}"
    with transaction.atomic(), acting(actor, said):
        review = UtilityReview.objects.select_related("submission", "edc", "aggregator").get(pk=screen.review_id)
        evidence = _evidence(actor, review, screen, found)
        terms = {"kind": Decision.Kind.APPROVE_LIMITED, "statement": said, "evidence": evidence}
        wishes = [(StagedDer.objects.filter(pk__in=keys), terms | dict(limits)) for limits, keys in same.items()]
        decisions = reviewing.decide_all(actor=actor, review=review, wishes=wishes)
        before, after = ({f"{each.row.external_id}_{each.direction}": kw(each) for each in found[:50]} for kw in (_filed, _left))
        parties = {"edc": screen.edc, "feeder": screen.feeder}
        log.write(actor=actor, act="screen_adopt", subject=str(screen), reason=said, before=before, after=after, **parties)
        log.followed(str(screen))
    return decisions


def _filed(finding: ScreenFinding) -> float:
    return finding.filed_kw


def _left(finding: ScreenFinding) -> float:
    return finding.limit_kw


def _evidence(actor, review: UtilityReview, screen: ReviewScreen, found: list[ScreenFinding]) -> Document:
    """The figures about the aggregator's own DERs as a table that it may read."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for each in found:
        writer.writerow((each.row.external_id, each.direction, each.filed_kw, each.limit_kw, each.month, each.hour, each.binds))
    upload = ContentFile(out.getvalue().encode(), name=f"screen-{screen.feeder.code}.csv")
    return store(actor=actor, owner=review.edc, counterparty=review.aggregator, kind=Document.Kind.EVIDENCE, upload=upload)
