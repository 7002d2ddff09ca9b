"""Blind indexes under another data key, while everybody works (N12)."""

from collections.abc import Callable

from django.db.models import Model

from moc.history import acting
from moc.vault import services as vault
from moc.vault.models import DataKey
from registry.participants import services as participants
from registry.participants.models import DerOwner
from registry.submissions.personal import StagedOwner

BATCH = 2_000


def reindex(former: DataKey, progress: Callable[[int], None]) -> int:
    """Index all owners of a party anew; returns how many. Filed rows come first and keep their earlier index while registered owners may

    still have theirs: a decision in between meets them by either.
    """
    filed = _all(StagedOwner, former, progress, ("data_key", "account_index", "digest", "earlier_index"))
    registered = _all(DerOwner, former, progress, ("data_key", "account_index", "digest"))
    StagedOwner.objects.filter(data_key__organization=former.organization_id, earlier_index__isnull=False).update(earlier_index=None)
    return filed + registered


def _all(model: type[Model], former: DataKey, progress: Callable[[int], None], fields: tuple[str, ...]) -> int:
    ring, count = vault.ring_of(former.organization_id), 0
    rows = model.objects.filter(data_key=former).order_by("pk")
    if model is StagedOwner:
        rows = rows.select_related("row")
    while True:
        with acting(None, "system: key rotation"):
            batch = list(rows.select_for_update(of=("self",))[:BATCH])
            for owner, values in zip(batch, participants.open_all(batch), strict=True):
                if model is StagedOwner:
                    owner.earlier_index = owner.account_index
                owner.data_key_id = ring.pk
                if values:
                    owner.account_index, owner.digest = participants.indexes(ring, [values[name] for name in participants.NAMES])
            model.objects.bulk_update(batch, fields, batch_size=500)
        if not batch:
            return count
        count += len(batch)
        progress(len(batch))
