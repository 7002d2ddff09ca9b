"""The part of the access matrix's scene that a utility administers: its loads of grid records and its own settings."""

from datetime import date
from uuid import uuid4

from django.core.files.base import ContentFile
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateRange

from moc.documents.models import Document
from moc.takeouts.models import Takeout
from registry.grid.models import GridFinding, GridLoad
from registry.utilities.models import LetterTemplate, Removal, RetentionPeriod, ReviewPractice, ReviewRule
from tests.factories.world import World


def objects(world: World, others: dict[str, models.Model]) -> dict[str, models.Model]:
    """One object of each kind, of the utility "edc"."""
    return _grid(world) | _settings(world) | _takeout(world)


def _grid(world: World) -> dict[str, models.Model]:
    upload = ContentFile(b"code,feeder\nT-A,F1\n,F1\n", name="grid.csv")
    document = Document.objects.create(file=upload, name="grid.csv", size=20, sha256="0" * 64, kind="grid", owner=world.edc)
    load = GridLoad.objects.create(edc=world.edc, kind="transformers", document=document, row_count=2, bad=1)
    GridLoad.objects.filter(pk=load.pk).update(status="refused")
    load.refresh_from_db()
    finding = GridFinding.objects.create(load=load, edc=world.edc, row_number=3, code="GRID-MISSING", severity="error", column="code")
    return {"grid_load": load, "grid_finding": finding}


def _settings(world: World) -> dict[str, models.Model]:
    always = DateRange(date(2020, 1, 1), None)
    of = {"edc": world.edc}
    period = RetentionPeriod.objects.create(**of, data_class="findings", days=400, valid_during=always)
    rule = ReviewRule(**of, field="serial_no", kind="required", remedy="Read it from the device.", valid_during=always)
    rule.save()
    return {
        "review_rule": rule,
        "practice": ReviewPractice.objects.create(**of, reviewers=[world.user("edc", "reviewer").pk], valid_during=always),
        "letter": LetterTemplate.objects.create(**of, kind="decision", version=1, opening="Dear {aggregator},", signature="A signature"),
        "retention": period,
        "removal": Removal.objects.create(**of, data_class="findings", period=period, submission=uuid4(), removed=3),
    }


def _takeout(world: World) -> dict[str, models.Model]:
    user = world.user("edc", "administrator")
    takeout = Takeout.objects.create(organization=world.edc, requested_by=user, purpose="An audit")
    return {"takeout": takeout}
