"""Choose an answer to an outage; the utility grants room, which envelopes then hold, or refuses it; with the outage all that is over."""

from datetime import timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.jobs import services as jobs
from moc.notices.services import tell
from operations.envelopes.models import EnvelopeRun
from operations.envelopes.services import reacting
from operations.outages.models import DerOutage
from operations.outages.services import log
from operations.responses import reports
from operations.responses.models import STANDING, OutageResponse
from registry.aggregations.models import Aggregation
from registry.ders.models import Der

PERMISSION, GRANTS, WATCHES, EVENT = "file_ders", "manage_grid", "validate_aggregations", "outage_response"
FOLLOWS = "operations.responses.tasks.follow"
UNKNOWN = timedelta(days=3660)  # an outage without a known end
Kind, Status = OutageResponse.Kind, OutageResponse.Status
OPEN = (DerOutage.Status.PLANNED, DerOutage.Status.ACTIVE)


def choose(*, actor, outage: DerOutage, aggregation: Aggregation, kind: str, reason: str = "") -> OutageResponse:
    """Answer an outage for one of the DER's aggregations, with the effect as it is computed now; whom it concerns is told, and logged.

    Raises NotPermitted, UserError (RESPONSE-OVER, RESPONSE-OTHER, RESPONSE-NOTHING), Conflict (RESPONSE-TWICE)."""
    policy.require(actor, PERMISSION, outage.aggregator)
    if not reports.aggregations_of(outage).filter(pk=aggregation.pk).exists():
        raise UserError("The DER is in no such aggregation today.", "Choose one of its aggregations.", "RESPONSE-OTHER")
    with transaction.atomic(), acting(actor, reason or f"{Kind(kind).label}: {aggregation}"):
        if DerOutage.objects.select_for_update(of=("self",)).get(pk=outage.pk).status not in OPEN:
            raise UserError("The outage is over.", "There is nothing to answer.", "RESPONSE-OVER")
        if OutageResponse.objects.filter(outage=outage, aggregation=aggregation, kind=kind, status__in=STANDING).exists():
            raise Conflict("This answer was chosen already.", "Look at the answers of the outage.", "RESPONSE-TWICE")
        offer = next(each for each in reports.offers(outage, aggregation) if each.kind == kind)
        if kind != Kind.DERATE and not offer.regained_up_kw + offer.regained_down_kw:
            raise UserError("This answer gives nothing back.", "Choose another.", "RESPONSE-NOTHING")
        made = OutageResponse.objects.create(
            outage=outage,
            aggregation=aggregation,
            aggregator=outage.aggregator,
            edc=outage.edc,
            tso=aggregation.tso,
            kind=kind,
            status=Status.ASKED if kind == Kind.ROOM else Status.CHOSEN,
            parts=offer.parts,
            reason=reason,
            chosen_by=actor,
            **offer.values,
        )
        _log(made, actor, f"response_{kind}", {"lost_up_kw": made.lost_up_kw, "lost_down_kw": made.lost_down_kw})
        _tell(made, actor)
    return made


def _log(response: OutageResponse, actor, act: str, before: dict, reason: str = "") -> None:
    after = {"status": response.status} | {
        name: getattr(response, name) for name in ("regained_up_kw", "regained_down_kw", "least_kw", "most_kw")
    }
    parties = {"edc": response.edc, "tso": response.tso, "aggregator": response.aggregator}
    parties |= {"outage": response.outage, "feeder_id": response.outage.der.feeder_id}
    said = {"act": act, "subject": str(response), "reason": reason or response.reason}
    log.write(actor=actor, before=before, after=after, **said, **parties)


def _tell(response: OutageResponse, author) -> None:
    """The utility always; the RTO where what the aggregation can do becomes another; the aggregator of what the utility answers."""
    said = {"event": EVENT, "subject": f"{response}: {response.get_status_display().lower()}", "response": response, "author": author}
    said["url"] = reverse("operations:outage_response", args=[response.uuid])
    tell(response.edc, GRANTS, **said)
    tell(response.aggregator, PERMISSION, **said)
    if response.tso_id and response.kind in (Kind.DERATE, Kind.REDECLARE):
        tell(response.tso, WATCHES, **said)


def move(*, actor, response: OutageResponse, name: str, reason: str = "") -> None:
    """Grant the room that was asked for, or refuse it. Raises NotPermitted, TransitionRefused, ReasonMissing."""
    transition_ = OutageResponse.lifecycle.transitions[name]
    policy.require(actor, transition_.permission, response.edc)
    with transaction.atomic(), acting(actor, reason or transition_.title):
        before = response.status
        OutageResponse.lifecycle.move(OutageResponse.objects.filter(pk=response.pk), name, actor=actor, reason=reason)
        held = OutageResponse.objects.select_related("edc", "tso", "aggregator", "outage", "aggregation").get(pk=response.pk)
        _log(held, actor, f"response_{name}", {"status": before}, reason)
        _tell(held, actor)
        if name == "grant":
            jobs.enqueue(actor=None, task=FOLLOWS, title=f"Envelopes after: {held}")


def follow() -> list[EnvelopeRun]:
    """Envelopes hold the room that is granted, while the outage lasts: what is touched is computed anew. Idempotent; the runs ordered."""
    granted: dict[int, dict] = {}
    rows = OutageResponse.objects.filter(kind=Kind.ROOM, status=Status.GRANTED, outage__status__in=OPEN).select_related("outage")
    parts = [(response.outage, part) for response in rows.order_by("pk") for part in response.parts if len(part) == 5]
    feeders = dict(Der.objects.filter(pk__in=[part[0] for _, part in parts]).values_list("pk", "feeder"))
    for outage, (der, _, _, least, most) in parts:
        known = outage.expected_until is not None and outage.expected_until > timezone.now()
        hours = [outage.starts_at.isoformat(), (outage.expected_until if known else outage.starts_at + UNKNOWN).isoformat()]
        granted.setdefault(feeders.get(der), {})[str(der)] = [least, most, *hours]
    return reacting.give_room(granted)


def end_over() -> int:
    """The answers to outages that are over end with them; returns how many. Idempotent."""
    rows = OutageResponse.objects.filter(status__in=STANDING).exclude(outage__status__in=OPEN)
    if not rows.exists():
        return 0
    return OutageResponse.lifecycle.move(rows, "end", actor=None, reason="system: the outage is over")
