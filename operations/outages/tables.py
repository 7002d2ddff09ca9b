"""Columns of outages, grid events and the operational log."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.outages.models import DerOutage, GridEvent
from registry.ders.choices import DerType

OUTAGE_TABLE = Table(
    caption="Outages of DERs",
    url=lambda row: reverse("operations:outage", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No DER is out",
    columns=(
        Column("der__external_id", "DER", kind="code", sort="id"),
        Column("kind", "What", choices=DerOutage.Kind),
        Column("cause", "Why", choices=DerOutage.Cause),
        Column("status", "Status", kind="status", choices=DerOutage.Status),
        Column("available_kw", "Still available (kW)", numeric=True),
        Column("starts_at", "From"),
        Column("expected_until", "Expected back"),
        Column("aggregator__name", "Aggregator"),
        Column("edc__name", "Utility"),
    ),
)
EVENT_TABLE = Table(
    caption="Grid events",
    url=lambda row: reverse("operations:grid_event", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No grid events match",
    columns=(
        Column("kind", "What", choices=GridEvent.Kind, sort="id"),
        Column(
            "place",
            "Where",
            value=lambda row: (
                " on ".join(filter(None, (row["element"], row["feeder__code"]))) or row["transformer__code"] or row["td_interface__code"]
            ),
            needs=("element", "feeder__code", "transformer__code", "td_interface__code"),
        ),
        Column("status", "Status", kind="status", choices=GridEvent.Status),
        Column("point_count", "Service points", numeric=True),
        Column("der_count", "DERs", numeric=True),
        Column("starts_at", "From"),
        Column("expected_until", "Expected back"),
        Column("edc__name", "Utility"),
    ),
)
DER_TABLE = Table(
    caption="DERs one by one",
    url=lambda row: reverse("registry:der_detail", args=[row["der__uuid"]]),
    needs=("der__uuid",),
    columns=(
        Column("der__external_id", "DER", kind="code"),
        Column("der__service_point__usage_point_id", "Service point", kind="code"),
        Column("der__der_type", "Type", choices=DerType),
        Column("der__nameplate_ac_kw", "Nameplate (kW)", numeric=True),
        Column("aggregator__name", "Aggregator"),
    ),
)
LOG_TABLE = Table(
    caption="Operational log",
    empty_title="Nothing was done",
    columns=(
        Column("at", "When", sort="id"),
        Column("subject", "What"),
        Column("act", "Act", value=lambda row: row["act"].replace("_", " "), needs=("act",)),
        Column("reason", "Why"),
        Column("actor__name", "By"),
        Column("before", "Before", value=lambda row: _words(row["before"]), needs=("before",)),
        Column("after", "After", value=lambda row: _words(row["after"]), needs=("after",)),
        Column("edc__name", "Utility"),
    ),
)
SPELLED = {"kw": "kW", "ders": "DERs"}
LOG_EXPORT = {name: name for name in ("at", "act", "subject", "reason")} | {
    "by": "actor__name",
    "before": "before",
    "after": "after",
    "utility": "edc__name",
    "aggregator": "aggregator__name",
    "rto": "tso__name",
}


def _words(state: dict) -> str:
    named = ((" ".join(SPELLED.get(part, part) for part in name.split("_")), value) for name, value in state.items())
    return ", ".join(f"{name}: {'none' if value is None else value}" for name, value in named)
