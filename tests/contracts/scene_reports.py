"""What the scene holds of reports: a saved one that the utility shares, and a run of it; and a figure that is published."""

from django.db import models
from django.utils import timezone

from moc.public.models import Publication, PublishedCell
from moc.reports.models import ReportDefinition, ReportRun
from tests.factories.world import World

SPEC = {"group": ["der_type"], "measures": [{"of": "count"}]}


def objects(world: World) -> dict[str, models.Model]:
    """Of the utility "edc", by its viewer."""
    facts = {"organization": world.edc, "user": world.user("edc", "viewer"), "source": "ders", "spec": SPEC, "format": "csv"}
    report = ReportDefinition.objects.create(**facts, name="Technologies", every="", ways=["inbox"])
    return {"report": report, "report_run": ReportRun.objects.create(**facts, definition=report, title="Technologies")} | published()


def published() -> dict[str, models.Model]:
    """A figure that everybody may see."""
    figure = PublishedCell.objects.create(cube="place", customers=20, nameplate_ac_kw=100, read_at=timezone.now())
    return {"published": figure, "publication": Publication.objects.create(renewed=1, kept=0, hidden=0, least=15, percent=15)}
