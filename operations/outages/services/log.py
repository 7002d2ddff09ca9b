"""Write the operational log; inside the transaction of the act."""

from moc.jobs import services as jobs
from operations.outages.models import DerOutage, GridEvent, LogEntry

FOLLOWS = "operations.envelopes.tasks.follow"


def followed(subject: str) -> None:
    """Wake who computes what can be delivered, once the act is committed."""
    jobs.enqueue(actor=None, task=FOLLOWS, title=f"Envelopes after: {subject}")


def write(*, actor, act: str, subject: str, edc, before: dict, after: dict, **more) -> LogEntry:
    """Any act that changes what can be delivered; more: reason, and the parties, event and outage that it concerns."""
    return LogEntry.objects.create(actor=actor, act=act, subject=subject[:300], edc=edc, before=before, after=after, **more)


def of_event(event: GridEvent, *, actor, act: str, before: str, reason: str = "", times: dict | None = None) -> LogEntry:
    """An act on a grid event; times: as they were, where it has others."""
    after = {"status": event.status, "ders": event.der_count, "aggregations": event.aggregation_count, "kw": float(event.kw)}
    said = {"reason": reason or event.reason, "edc": event.edc, "tso": event.tso, "event": event}
    after |= {"capacity_percent": event.capacity_percent}
    if times is not None:
        after |= {name: (moment := getattr(event, name)) and moment.isoformat() for name in times}
    changed = {"before": {"status": before} | (times or {}), "after": after}
    return write(actor=actor, act=act, subject=str(event), **said, **changed)


def of_outages(outages: list[DerOutage], *, actor, act: str, before: str, reason: str = "") -> None:
    """An act on outages of DERs, a row each."""
    LogEntry.objects.bulk_create(
        LogEntry(
            actor=actor,
            act=act,
            subject=str(each),
            reason=reason or each.reason,
            edc_id=each.edc_id,
            aggregator_id=each.aggregator_id,
            outage=each,
            before={"status": before},
            after={"status": each.status, "available_kw": float(each.available_kw)},
        )
        for each in outages
    )
