"""What the scene holds of reports: a saved one that the utility shares, and a run of it."""

from django.db import models

from moc.reports.models import ReportDefinition, ReportRun
from tests.factories.world import World

SPEC = {"group": ["der_type"], "measures": [{"of": "count"}]}


def objects(world: World) -> dict[str, models.Model]:
    """Of the utility "edc", by its viewer."""
    facts = {"organization": world.edc, "user": world.user("edc", "viewer"), "source": "ders", "spec": SPEC, "format": "csv"}
    report = ReportDefinition.objects.create(**facts, name="Technologies", every="", ways=["inbox"])
    return {"report": report, "report_run": ReportRun.objects.create(**facts, definition=report, title="Technologies")}
