"""Replace keys while everybody works: another data key seals from now on, and what the former one sealed is wrapped anew in batches.

Ciphertext is never touched, so history, which nobody can change, moves with its keys.
"""

from collections.abc import Callable

from django.utils import timezone

from moc.bulk import fetch_sql
from moc.history import acting
from moc.vault import masters
from moc.vault import services as vault
from moc.vault.models import DataKey, SubjectKey

BATCH = 5_000
REASON = "system: key rotation"


def rewrap_data_keys() -> int:
    """Wrap every data key by the current master key; afterwards older master keys can leave the environment. Returns how many were."""
    service = masters.service()
    with acting(None, REASON):
        old = list(DataKey.objects.exclude(master=service.current).filter(retired_at=None).select_for_update())
        for key in old:
            about = vault.about_key(key.organization_id)
            key.wrapped, key.master = service.wrap(service.unwrap(key.master, bytes(key.wrapped), about), about), service.current
        DataKey.objects.bulk_update(old, ["wrapped", "master"])
    return len(old)


def begin(organization: int) -> DataKey:
    """Make another data key current, unless a rotation was stopped half-way; returns the former key."""
    with acting(None, REASON):
        held = DataKey.objects.select_for_update().filter(organization=organization, retired_at=None)
        former = held.filter(is_current=False).first()
        if former is None:
            former = held.get(is_current=True)
            DataKey.objects.filter(pk=former.pk).update(is_current=False)
            vault.new_data_key(organization).save()
    return former


def writers() -> set[str]:
    """The open transactions that may seal with a key they fetched earlier."""
    return {transaction_id for (transaction_id,) in fetch_sql("writers")}


def rewrap_subjects(former: DataKey, progress: Callable[[int], None]) -> int:
    """Wrap the keys of subjects by their party's current data key; `progress` hears of each batch. Returns how many were."""
    old, new = vault.ring(former), vault.ring_of(former.organization_id)
    count = 0
    waiting = SubjectKey.objects.filter(data_key=former).order_by("pk")
    while True:
        with acting(None, REASON):
            batch = list(waiting.select_for_update()[:BATCH])
            for key in batch:
                key.wrapped, key.data_key_id = new.wrap(key.pk, old.unwrap(key.pk, bytes(key.wrapped))), new.pk
            SubjectKey.objects.bulk_update(batch, ["wrapped", "data_key"], batch_size=1_000)
        if not batch:
            return count
        count += len(batch)
        progress(len(batch))


def retire(former: DataKey) -> None:
    """Destroy a data key that nothing needs any more. Raises ValueError while something does."""
    with acting(None, REASON):
        if SubjectKey.objects.filter(data_key=former).exists():
            raise ValueError(f"Keys are still wrapped by {former}.")
        DataKey.objects.filter(pk=former.pk).update(wrapped=b"", retired_at=timezone.now())
