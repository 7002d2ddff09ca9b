"""The part of the access matrix's scene that is sealed: the versions of organisations, as if their transaction had ended."""

from unittest import mock

from django.db import models

from moc.seals import canon, services
from moc.seals.models import Seal, SealedBlock, SealedTable, Verification

TABLE = "moc_historicalorganization"


def objects() -> dict[str, models.Model]:
    """A seal with its table and block, and a verification that found nothing."""
    known = {TABLE: canon.tables()[TABLE]}
    with mock.patch.object(canon, "tables", lambda: known), mock.patch.object(services, "horizon", lambda: 2**62):
        seal = services.seal()
    return {
        "sealed_seal": seal,
        "sealed_table": SealedTable.objects.get(seal=seal),
        "sealed_block": SealedBlock.objects.filter(seal=seal).first(),
        "verification": Verification.objects.create(last_seal=Seal.objects.get(), row_count=1, unsealed=0, finding_count=0),
    }
