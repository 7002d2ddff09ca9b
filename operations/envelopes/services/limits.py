"""Limits and settings that decisions of utilities set on DERs, as envelopes keep them: a digest tells when a set does not know them yet."""

import hashlib
import json

from registry.ders.models import DECIDED, LIMITED, Der


def digests(**of) -> dict[int, str]:
    """By feeder, of those with active DERs that a decision limits or gives settings, a digest of these; of: which DERs, as feeder=…"""
    rows = Der.objects.filter(LIMITED, status=Der.Status.ACTIVE, feeder__isnull=False, **of).order_by("feeder", "pk")
    found: dict[int, list] = {}
    for feeder, *limits in rows.values_list("feeder", "pk", *DECIDED):
        found.setdefault(feeder, []).append(limits)
    return {feeder: hashlib.sha256(json.dumps(each, default=str, sort_keys=True).encode()).hexdigest() for feeder, each in found.items()}


def among(values: dict, digest: str | None) -> dict:
    """A policy's values as a run keeps them, with the limits that it knows."""
    return values | {"limits": digest} if digest else values
