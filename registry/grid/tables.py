"""Columns of lists of grid records; their exports have the columns of a load, so that a record can be corrected and loaded again."""

from django.urls import reverse

from moc.portal import Column, Table
from registry.grid.dictionary import KINDS
from registry.grid.models import GridLoad

UTILITY = Column("edc__name", "Utility")
CODE = Column("code", "Code", kind="code", sort="code")
Kind = GridLoad.Kind


def _table(kind: str, caption: str, *columns: Column) -> Table:
    return Table(
        caption=caption,
        url=lambda row: reverse("registry:grid_record", args=[kind, row["id"]]),
        needs=("id",),
        empty_title=f"No {caption.lower()} match",
        columns=columns,
    )


TABLES: dict[str, Table] = {
    Kind.TD_INTERFACES: _table(
        Kind.TD_INTERFACES, "Interfaces", CODE, Column("name", "Name"), Column("pnode__name", "Pricing node", kind="code"), UTILITY
    ),
    Kind.SUBSTATIONS: _table(
        Kind.SUBSTATIONS, "Substations", CODE, Column("name", "Name"), Column("td_interface__code", "T-D interface", kind="code"), UTILITY
    ),
    Kind.FEEDERS: _table(
        Kind.FEEDERS,
        "Feeders",
        CODE,
        Column("substation__code", "Substation", kind="code"),
        Column("nominal_kv", "Voltage (kV)", numeric=True),
        UTILITY,
    ),
    Kind.TRANSFORMERS: _table(
        Kind.TRANSFORMERS,
        "Transformers",
        CODE,
        Column("feeder__code", "Feeder", kind="code"),
        Column("rated_kva", "Rating (kVA)", numeric=True),
        UTILITY,
    ),
    Kind.SERVICE_POINTS: _table(
        Kind.SERVICE_POINTS,
        "Service points",
        Column("usage_point_id", "Service point", kind="code", sort="usage_point_id"),
        Column("feeder__code", "Feeder", kind="code"),
        Column("transformer__code", "Transformer", kind="code"),
        Column("county__name", "County"),
        Column("address", "Address"),
        Column("phases_available", "Phases", numeric=True),
        UTILITY,
    ),
}

EXPORTS: dict[str, dict[str, str]] = {
    kind: {
        column.name: (column.field if column.name == "county_fips" else f"{column.field}__{column.by}") if column.refers else column.name
        for column in shape.columns
        if column.stored
    }
    for kind, shape in KINDS.items()
}

LOAD_TABLE = Table(
    caption="Loads",
    url=lambda row: reverse("registry:grid_load", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No loads match",
    columns=(
        Column("document__name", "File", sort="id"),
        Column("kind", "Records", choices=GridLoad.Kind),
        Column("status", "Status", kind="status", choices=GridLoad.Status),
        Column("row_count", "Rows", numeric=True),
        Column("bad", "With errors", numeric=True),
        Column("created", "New", numeric=True),
        Column("changed", "Changed", numeric=True),
        Column("edc__name", "Utility"),
        Column("created_at", "Loaded"),
    ),
)
