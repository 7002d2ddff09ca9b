"""Columns of outages, grid events and the operational log."""

import json

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


PAGES = {
    "event__uuid": "operations:grid_event",
    "outage__uuid": "operations:outage",
    "decision__review__uuid": "registry:review_detail",
    "reconfiguration__uuid": "registry:reconfiguration",
}


def _page(row: dict) -> str | None:
    """The event, the outage or the decision that an act was about, where the reader may see it; None of others."""
    for name, page in PAGES.items():
        if row[name]:
            return reverse(page, args=[row[name]])
    return None


LOG_TABLE = Table(
    caption="Operational log",
    url=_page,
    needs=tuple(PAGES),
    empty_title="Nothing was done",
    wraps=True,
    columns=(
        Column("at", "When", sort="at"),
        Column("act", "Act", value=lambda row: row["act"].replace("_", " "), needs=("act",)),
        Column("subject", "What"),
        Column("change", "Before → after", value=lambda row: _change(row["before"], row["after"]), needs=("before", "after")),
        Column("reason", "Why"),
        Column(
            "actor__name", "By", value=lambda row: row["actor__name"] or BY.get(row["act"], "The platform"), needs=("actor__name", "act")
        ),
        Column("aggregator__name", "Aggregator"),
        Column("edc__name", "Utility"),
    ),
)
PLATFORM = "The platform"
BY = dict.fromkeys(("owner_keeps", "owner_gives_back"), "The owner")  # whose name takes a purpose to see
SPELLED = {"kw": "kW", "ders": "DERs"}
LOG_EXPORT = {name: name for name in ("at", "act", "subject", "reason")} | {
    "by": "actor__name",
    "before": "before",
    "after": "after",
    "feeder": "feeder__code",
    "utility": "edc__name",
    "aggregator": "aggregator__name",
    "rto": "tso__name",
}


def _change(before: dict, after: dict) -> str:
    """What an act changed: facts that both states tell as former → new; beside them what only one of them tells."""
    both = [f"{_name(name)}: {' → '.join(dict.fromkeys((_value(before[name]), _value(after[name]))))}" for name in before if name in after]
    former, new = (
        ", ".join(f"{_name(name)}: {_value(value)}" for name, value in state.items() if name not in other)
        for state, other in ((before, after), (after, before))
    )
    return ", ".join(filter(None, (*both, " → ".join(filter(None, (former, new))))))


def _name(name: str) -> str:
    return " ".join(SPELLED.get(part, part) for part in name.split("_"))


def _value(value) -> str:
    if value is None:
        return "none"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or "none"
    if isinstance(value, list | dict):
        return json.dumps(value)
    return f"{value:,}".replace("-", "\u2212") if isinstance(value, int | float) else str(value)
