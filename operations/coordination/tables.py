"""Columns of interfaces, their readings, and what is deliverable."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.coordination.models import DeliverabilityRun, LineEvent

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
LINE_EVENT_TABLE = Table(
    caption="Events of lines",
    url=lambda row: reverse("operations:line_event", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No event of a line matches",
    columns=(
        Column("line__code", "Line", kind="code", sort="id"),
        Column("kind", "What", choices=LineEvent.Kind),
        Column("status", "Status", kind="status", choices=LineEvent.Status),
        Column("capacity_percent", "Capacity left (%)", numeric=True),
        Column("starts_at", "From"),
        Column("expected_until", "Expected back"),
        Column("tso__name", "RTO"),
    ),
)
TOUCHED_TABLE = Table(
    caption="Interfaces and DERs behind it, when it was told",
    columns=(
        Column("td_interface__name", "Interface"),
        Column("edc__name", "Utility"),
        Column("aggregator__name", "Aggregator"),
        Column("der_count", "DERs", numeric=True),
        Column("kw", "Nameplate (kW)", numeric=True),
    ),
)
