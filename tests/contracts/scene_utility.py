"""The part of the access matrix's scene that a utility administers: its loads of grid records and its own settings."""

from django.core.files.base import ContentFile
from django.db import models

from moc.documents.models import Document
from registry.grid.models import GridFinding, GridLoad
from tests.factories.world import World


def objects(world: World, others: dict[str, models.Model]) -> dict[str, models.Model]:
    """One object of each kind, of the utility "edc"."""
    return _grid(world)


def _grid(world: World) -> dict[str, models.Model]:
    upload = ContentFile(b"code,feeder\nT-A,F1\n,F1\n", name="grid.csv")
    document = Document.objects.create(file=upload, name="grid.csv", size=20, sha256="0" * 64, kind="grid", owner=world.edc)
    load = GridLoad.objects.create(edc=world.edc, kind="transformers", document=document, row_count=2, bad=1)
    GridLoad.objects.filter(pk=load.pk).update(status="refused")
    load.refresh_from_db()
    finding = GridFinding.objects.create(load=load, edc=world.edc, row_number=3, code="GRID-MISSING", severity="error", column="code")
    return {"grid_load": load, "grid_finding": finding}
