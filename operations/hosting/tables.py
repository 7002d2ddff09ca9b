"""Columns of maps and of their nodes."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.hosting.models import HostingMap, HostingNode

MAP_TABLE = Table(
    caption="Hosting capacity",
    url=lambda row: reverse("operations:hosting_map", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No map was computed",
    columns=(
        Column("feeder__code", "Feeder", kind="code", sort="id"),
        Column("window", "Month"),
        Column("status", "Status", kind="status", choices=HostingMap.Status),
        Column("node_count", "Buses", numeric=True),
        Column("computed_at", "Computed"),
        Column("edc__name", "Utility"),
    ),
)
NODE_TABLE = Table(
    caption="Nodes",
    empty_title="No node",
    columns=(
        Column("bus", "Bus", kind="code", sort="id"),
        Column("export_kw", "Export (kW)", numeric=True),
        Column("export_binds", "What binds export", choices=HostingNode.Binds),
        Column("export_element", "Element", kind="code"),
        Column("import_kw", "Import (kW)", numeric=True),
        Column("import_binds", "What binds import", choices=HostingNode.Binds),
        Column("import_element", "Element", kind="code"),
    ),
)
NODE_EXPORT = {
    "feeder": "map__feeder__code",
    "month": "map__window",
    "bus": "bus",
    "export_kw": "export_kw",
    "export_binds": "export_binds",
    "export_element": "export_element",
    "import_kw": "import_kw",
    "import_binds": "import_binds",
    "import_element": "import_element",
}
