"""Columns of interfaces, their readings, and what is deliverable."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.coordination.models import DeliverabilityRun

SHOWN = (
    ("flow_kw", "Flow (kW)"),
    ("low_kw", "Least allowed (kW)"),
    ("high_kw", "Most allowed (kW)"),
    ("room_up_kw", "Headroom up (kW)"),
    ("room_down_kw", "Headroom down (kW)"),
    ("up_kw", "DERs up (kW)"),
    ("down_kw", "DERs down (kW)"),
)


def rounded(value) -> object:
    """A number for reading."""
    return round(value, 1) if isinstance(value, float) else value


INTERFACE_TABLE = Table(
    caption="T-D interfaces",
    url=lambda row: reverse("operations:interface", args=[row["pk"]]),
    needs=("pk",),
    empty_title="No interface is within reach",
    columns=(
        Column("name", "Interface"),
        Column("code", "Code", kind="code"),
        *(Column(name, label, numeric=True, value=lambda row, name=name: rounded(row[name]), needs=("pk",)) for name, label in SHOWN),
        Column("edc__name", "Utility"),
    ),
)
HISTORY_TABLE = Table(
    caption="Readings of the interface",
    empty_title="Nothing was measured",
    columns=(
        Column("event_at", "Measured"),
        Column("published_at", "Published"),
        Column("p_kw", "Power (kW)", numeric=True),
        Column("q_kvar", "Reactive power (kvar)", numeric=True),
        Column("voltage_pu", "Voltage (pu)", numeric=True),
        Column("source", "Source"),
        Column("quality", "Quality"),
    ),
)
HISTORY_EXPORT = {name: name for name in ("event_at", "published_at", "p_kw", "q_kvar", "voltage_pu", "source", "quality")}
RUN_TABLE = Table(
    caption="Deliverability runs",
    url=lambda row: reverse("operations:deliverability_run", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No run of an RTO is within your reach",
    columns=(
        Column("at", "Interval of", sort="id"),
        Column("status", "Status", kind="status", choices=DeliverabilityRun.Status),
        Column("seconds", "Seconds", numeric=True),
        Column("tso__name", "RTO"),
    ),
)
