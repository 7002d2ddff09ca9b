"""Columns of states and of aggregations' readiness."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.telemetry.models import SUBJECTS, DerState, SubjectState
from operations.telemetry.reports import TOLD
from registry.ders.choices import DerType

STATE_TABLE = Table(
    caption="Readiness of DERs",
    url=lambda row: reverse("operations:state", args=[row["pk"]]),
    needs=("pk",),
    empty_title="No DER was heard of",
    columns=(
        Column("der__external_id", "DER", kind="code"),
        Column("der__der_type", "Technology", choices=DerType),
        Column("der__feeder__code", "Feeder", kind="code"),
        Column(
            "readiness",
            "Readiness",
            kind="status",
            choices=DerState.Readiness,
            value=lambda row: row["readiness"],
            needs=("pk",),
        ),
        Column("p_kw", "Power (kW)", numeric=True),
        Column("soc_percent", "Charge (%)", numeric=True),
        Column("up_kw", "Room up (kW)", numeric=True),
        Column("down_kw", "Room down (kW)", numeric=True),
        Column("event_at", "Measured"),
    ),
)

LABELS = ("Members", "Ready", "Kept by owners", "Not available", "Not heard of", "Never heard of")
LABELS += ("Power (kW)", "Room up (kW)", "Room down (kW)")

AGGREGATION_TABLE = Table(
    caption="Readiness of aggregations",
    url=lambda row: f"{reverse('operations:states')}?aggregation={row['uuid']}",
    needs=("uuid",),
    empty_title="No aggregation is registered",
    columns=(
        Column("name", "Aggregation"),
        *(
            Column(name, label, numeric=True, value=lambda row, name=name: row[name], needs=("pk",))
            for name, label in zip(TOLD, LABELS, strict=True)
        ),
        Column("aggregator__name", "Aggregator"),
    ),
)

PLACES = ("aggregation__name", "feeder__code", "transformer__code", "td_interface__code")


def _kind(row: dict) -> str:
    return next(SubjectState._meta.get_field(name).verbose_name for name in SUBJECTS if row[f"{name}_id"])


SUBJECT_TABLE = Table(
    caption="Aggregations and the grid",
    url=lambda row: reverse("operations:subject_state", args=[row["pk"]]),
    needs=("pk", *(f"{name}_id" for name in SUBJECTS)),
    empty_title="Nothing was heard of",
    columns=(
        Column("subject", "Measured", value=lambda row: next(filter(None, map(row.get, PLACES)), ""), needs=PLACES),
        Column("kind", "Kind", value=_kind),
        Column("p_kw", "Power (kW)", numeric=True),
        Column("q_kvar", "Reactive power (kvar)", numeric=True),
        Column("voltage_pu", "Voltage (pu)", numeric=True),
        Column("event_at", "Measured at"),
        Column("stale_at", "Stale from"),
        Column("edc__name", "Utility"),
    ),
)


def _share(name: str):
    return lambda row: round(100 * row[name] / row["owed"], 1)


OF = ("aggregation__name", "der__external_id")
CHECK_TABLE = Table(
    caption="Telemetry owed and delivered",
    url=lambda row: (
        f"{reverse('operations:subject_states')}?kind=aggregation"
        if row["aggregation__name"]
        else f"{reverse('operations:states')}?der={row['der__uuid']}"
    ),
    needs=("pk", "der__uuid"),
    empty_title="Nobody owes telemetry",
    columns=(
        Column(
            "subject",
            "Of",
            value=lambda row: row["aggregation__name"] or row["der__external_id"],
            needs=("aggregation__name", "der__external_id"),
        ),
        Column("day", "Day"),
        Column("cadence_s", "Interval (s)", numeric=True),
        Column("owed", "Owed", numeric=True),
        Column("delivered", "Delivered", numeric=True),
        Column("missing", "Missing", numeric=True),
        Column("missing_share", "Missing (%)", numeric=True, value=_share("missing"), needs=("missing", "owed")),
        Column("late_share", "Late (%)", numeric=True, value=_share("late"), needs=("late", "owed")),
        Column("incomplete", "Incomplete", numeric=True),
        Column("compared", "Compared", numeric=True),
        Column("differing", "Differing", numeric=True),
        Column("most_difference_kw", "Most (kW)", numeric=True),
    ),
)
