"""Write the operational log; inside the transaction of the act."""

from django.db import transaction
from django.db.models import Exists, OuterRef

from moc.jobs import services as jobs
from operations.network.models import NetworkVersion
from operations.outages.models import DerOutage, LogEntry

FOLLOWS = "operations.envelopes.tasks.follow"


def followed(subject: str) -> None:
    """Wake who computes what can be delivered, once the act is committed."""
    jobs.enqueue(actor=None, task=FOLLOWS, title=f"Envelopes after: {subject}")


def write(*, actor, act: str, subject: str, before: dict, after: dict, edc=None, **more) -> LogEntry:
    """Any act that changes what can be delivered; more: reason, and the parties, feeder, event and outage that it concerns.

    edc: None of what lies in no utility's grid. Raises ValueError for an act that readers could not look for."""
    if act not in LogEntry.ACTS:
        raise ValueError(f"{act} stands in no list of acts")
    return LogEntry.objects.create(actor=actor, act=act, subject=subject[:300], edc=edc, before=before, after=after, **more)


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
            feeder_id=each.der.feeder_id,
            outage=each,
            before={"status": before},
            after={"status": each.status, "available_kw": float(each.available_kw)},
        )
        for each in outages
    )


def networks() -> int:
    """Networks that became their feeder's current one since the last look are acts as well; returns how many. Idempotent.

    The slice of networks lies below this one and cannot write here itself."""
    entry = LogEntry.objects.filter(act="network_approve", feeder=OuterRef("feeder"), at=OuterRef("valid_from"))
    new = NetworkVersion.objects.filter(~Exists(entry), valid_from__isnull=False).order_by("valid_from", "pk")
    written = 0
    for pk in list(new.values_list("pk", flat=True)):
        with transaction.atomic():
            rows = NetworkVersion.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk)
            locked = rows.select_related("feeder", "edc", "document", "approved_by").first()
            if locked is None or not new.filter(pk=pk).exists():
                continue
            former = NetworkVersion.objects.filter(feeder=locked.feeder, valid_until=locked.valid_from).select_related("document").first()
            said = {"at": locked.valid_from, "subject": str(locked), "reason": "Approved as the feeder's network"}
            parties = {"actor": locked.approved_by, "edc": locked.edc, "feeder": locked.feeder}
            write(act="network_approve", before=_network(former), after=_network(locked), **said, **parties)
            written += 1
    return written


def _network(version: NetworkVersion | None) -> dict:
    if version is None:
        return {"network": None}
    facts = {"nodes": version.node_count, "points": version.point_count, "linked": version.linked_count}
    return {"network": str(version.document), **facts, "topology": version.topology_hash[:12]}
