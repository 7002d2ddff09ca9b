"""The part of the access matrix's scene that is sealed: the versions of organisations, as if their transaction had ended."""

from unittest import mock

from django.db import models
from django.utils import timezone

from moc.seals import canon, services
from moc.seals.models import Seal, SealedBlock, SealedTable, Verification
from moc.snapshots.models import Snapshot
from tests.factories.world import World

TABLE = "moc_historicalorganization"


def objects(world: World) -> dict[str, models.Model]:
    """A seal with its table and block, a verification that found nothing, and a regulator's snapshot."""
    known = {TABLE: canon.tables()[TABLE]}
    with mock.patch.object(canon, "tables", lambda: known), mock.patch.object(services, "horizon", lambda: 2**62):
        seal = services.seal()
    return {
        "sealed_seal": seal,
        "sealed_table": SealedTable.objects.get(seal=seal),
        "sealed_block": SealedBlock.objects.filter(seal=seal).first(),
        "verification": Verification.objects.create(last_seal=Seal.objects.get(), row_count=1, unsealed=0, finding_count=0),
        "snapshot": Snapshot.objects.create(
            organization=world.rerra, moment=timezone.now(), requested_by=world.user("rerra", "auditor"), seal=seal
        ),
    }
