"""Columns of outages, grid events and the operational log."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.outages.models import DerOutage, GridEvent, LogEntry
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
        Column("act", "Act", value=lambda row: LogEntry.ACTS.get(row["act"], row["act"]), needs=("act",)),
        Column("subject", "What"),
        Column("change", "Before → after", value=lambda row: _change(row["before"], row["after"]), needs=("before", "after")),
        Column("reason", "Why", value=lambda row: row["reason"].removeprefix(SYSTEM), needs=("reason",)),
        Column(
            "actor__name", "By", value=lambda row: row["actor__name"] or BY.get(row["act"], "The platform"), needs=("actor__name", "act")
        ),
        Column("aggregator__name", "Aggregator"),
        Column("edc__name", "Utility"),
    ),
)
PLATFORM = "The platform"
BY = dict.fromkeys(("owner_keeps", "owner_gives_back"), "The owner")  # whose name takes a purpose to see
SYSTEM = "system: "  # before what the platform did by itself, as the column of who did it says
SPELLED = {"kw": "kW", "ders": "DERs"}
NAMES = {
    "v_min_pu": "least voltage (per unit)",
    "v_max_pu": "most voltage (per unit)",
    "capacity_percent": "capacity left (%)",
    "loading_percent": "usable part of ratings (%)",
    "topology": "fingerprint of the network",
    "import_kw": "import (kW)",
    "export_kw": "export (kW)",
}
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
    return NAMES.get(name) or " ".join(SPELLED.get(part, part) for part in name.split("_"))


def _value(value) -> str:
    if value is None:
        return "none"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or "none"
    if isinstance(value, dict):
        return "; ".join(f"{_name(name)} {_value(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(" to ".join(map(_value, each)) if isinstance(each, list) else _value(each) for each in value) or "none"
    return f"{value:,}".replace("-", "\u2212") if isinstance(value, int | float) else str(value)
