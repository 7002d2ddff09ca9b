"""What a new set changes, and whom it is told: each aggregator gets a receipt that names its DERs with other limits."""

from collections import defaultdict
from datetime import datetime, timedelta
from math import gcd

import numpy as np
from django.urls import reverse
from django.utils import timezone

from moc.access.models import Organization
from moc.notices.services import tell
from operations.envelopes.models import EnvelopeReceipt, EnvelopeRun
from registry.ders.models import Der

ACKNOWLEDGES = "file_ders"
MINUTE, LATELY = 60, timedelta(hours=1)


def changed(run: EnvelopeRun, before, now: datetime) -> set[int]:
    """The DERs whose limits from now on are others than those of the sets in force so far, in the window of the new one."""
    limits = _limits(run)
    sets = [(each, since, until, _limits(each)) for each, since, until in before.in_force() if until > max(now, run.starts_at)]
    step = gcd(*(_minutes(run.starts_at, moment) for each, since, until, _ in sets for moment in (each.starts_at, since, until)))
    step = gcd(step, run.step_minutes, *(each.step_minutes for each, *_ in sets)) or run.step_minutes
    count = run.intervals * run.step_minutes // step
    first = min(max(0, _minutes(run.starts_at, now) // step), count) if now > run.starts_at else 0
    own = np.arange(first, count) * step // run.step_minutes
    ders = sorted(limits.keys() | {der for *_, kept in sets for der in kept})
    other = {der: der not in limits for der in ders}
    covered = np.zeros(count, bool)
    for each, since, until, kept in sets:
        a, b = (min(max(first, _minutes(run.starts_at, moment) // step), count) for moment in (since, until))
        covered[a:b] = True
        theirs = (np.arange(a, b) * step - _minutes(run.starts_at, each.starts_at)) // each.step_minutes
        ours = own[a - first : b - first]
        for der in ders:
            other[der] = other[der] or der not in kept or not np.array_equal(limits[der][:, ours], kept[der][:, theirs])
    gaps = not covered[first:].all()
    return {der for der in ders if other[der] or (gaps and der in limits)}


def _minutes(since: datetime, until: datetime) -> int:
    return int((until - since).total_seconds() // MINUTE)


def _limits(run: EnvelopeRun) -> dict[int, np.ndarray]:
    """Each DER's limits in a run: (2, T) kW, and (6, T) with those in kvar where it has any."""
    found: dict[int, list] = defaultdict(list)
    for block in run.bounds.values():
        kw, kvar = block.kw(), block.kvar()
        for der, row in block.rows.items():
            found[der] += [kw[row], *kvar.get(row, ())]
    return {der: np.stack(rows) for der, rows in found.items()}


def send(actor, run: EnvelopeRun, ders: set[int], *, is_routine: bool) -> None:
    """A receipt to each aggregator whose DERs have another envelope, and the news of it. is_routine: nobody asked for the set, and nothing
    is out or switched; such sets come for many feeders at a time, and people are told of the first."""
    of: dict[int, list[int]] = defaultdict(list)
    rows = Der.objects.filter(pk__in=ders).exclude(aggregator=None).order_by("pk")
    for pk, aggregator in rows.values_list("pk", "aggregator_id"):
        of[aggregator].append(pk)
    facts = {"run": run, "edc_id": run.edc_id, "feeder_code": run.feeder.code, "number": run.number, "content_hash": run.content_hash}
    facts |= {"starts_at": run.starts_at, "ends_at": run.ends_at}
    for aggregator in Organization.objects.filter(pk__in=of).order_by("pk"):
        own = of[aggregator.pk]
        receipt, _ = EnvelopeReceipt.objects.get_or_create(
            run=run, aggregator=aggregator, defaults=facts | {"changed": len(own), "ders": own}
        )
        said = {"event": "envelopes_published", "subject": f"Envelopes of feeder {run.feeder.code}, set {run.number}"}
        to_people = not (run.is_rolling or (is_routine and _was_told(receipt)))
        whom = {"author": actor, "to_people": to_people, "is_routine": is_routine}
        tell(aggregator, ACKNOWLEDGES, url=page_of(receipt), receipt=receipt, **whom, **said)


def _was_told(receipt: EnvelopeReceipt) -> bool:
    """Whether the aggregator's people heard lately that sets of these hours come: hundreds of feeders may have one each."""
    same = EnvelopeReceipt.objects.filter(aggregator=receipt.aggregator_id, starts_at=receipt.starts_at, ends_at=receipt.ends_at)
    return same.filter(sent_at__gt=timezone.now() - LATELY).exclude(pk=receipt.pk).exists()


def page_of(receipt: EnvelopeReceipt) -> str:
    """Where a receipt is read and acknowledged."""
    return reverse("operations:envelope_receipt", args=[receipt.uuid])
