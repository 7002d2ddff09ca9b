"""The part of the access matrix's scene that is sealed: the versions of organisations, as if their transaction had ended."""

from datetime import UTC, datetime
from unittest import mock

from django.db import models
from django.utils import timezone

from moc.seals import canon, destroying, services
from moc.seals.models import Archive, Seal, SealedBlock, SealedTable, Verification
from moc.snapshots.models import Snapshot
from tests.factories.world import World

TABLE = "moc_historicalorganization"
MONTHS = [(datetime(year, 5, 1, tzinfo=UTC), datetime(year, 6, 1, tzinfo=UTC)) for year in (2015, 2016)]


def objects(world: World) -> dict[str, models.Model]:
    """A seal with its table and block, a verification that found nothing, and a regulator's snapshot."""
    known = {TABLE: canon.tables()[TABLE]}
    with mock.patch.object(canon, "tables", lambda: known), mock.patch.object(services, "horizon", lambda: 2**62):
        seal = services.seal()
    archive, other = (_archive(seal, *month) for month in MONTHS)
    return {
        "sealed_seal": seal,
        "sealed_table": SealedTable.objects.get(seal=seal),
        "sealed_block": SealedBlock.objects.filter(seal=seal).first(),
        "archive": archive,
        "destruction": destroying.propose(actor=world.user("operator", "administrator"), archive=other, reason="kept no longer"),
        "verification": Verification.objects.create(last_seal=Seal.objects.get(), row_count=1, unsealed=0, finding_count=0),
        "snapshot": Snapshot.objects.create(
            organization=world.rerra, moment=timezone.now(), requested_by=world.user("rerra", "auditor"), seal=seal
        ),
    }


def _archive(seal: Seal, starts_at: datetime, ends_at: datetime) -> Archive:
    """A month of the access log, without its file."""
    facts = {"row_count": 1, "size": 1, "sha256": "0" * 64, "statement": "{}", "signature": "", "key": ""}
    return Archive.objects.create(table="moc_accessentry", starts_at=starts_at, ends_at=ends_at, last_seal=seal, **facts)
