"""Columns of DER lists and exports."""

from django.urls import reverse

from moc.portal import Column, Table
from registry.ders import dictionary
from registry.ders.choices import Technology
from registry.ders.models import Der


def der_url(row: dict) -> str:
    return reverse("registry:der_detail", args=[row["uuid"]])


DER_TABLE = Table(
    caption="DERs",
    url=der_url,
    needs=("uuid",),
    empty_title="No DERs match",
    columns=(
        Column("external_id", "DER", kind="code", sort="id"),
        Column("der_type", "Technology", choices=Technology),
        Column("status", "Status", kind="status", choices=Der.Status),
        Column("nameplate_ac_kw", "AC (kW)", numeric=True, sort="nameplate_ac_kw"),
        Column("edc__name", "Utility"),
        Column("aggregator__name", "Aggregator"),
        Column("county__name", "County"),
        Column("feeder__code", "Feeder", kind="code"),
        Column("commissioned_on", "Commissioned"),
    ),
)

# The master record in the columns of a filing (an export can be corrected and filed again), and what the registry adds.
REGISTRY_COLUMNS = {
    "der_id": "uuid",
    "status": "status",
    "utility": "edc__name",
    "aggregator": "aggregator__name",
    "feeder": "feeder__code",
    "county": "county__name",
    "registered_on": "registered_on",
    "export_limit_kw": "export_limit_kw",
    "import_limit_kw": "import_limit_kw",
    "limits_by_time": "limits_by_time",
    "inverter_settings": "inverter_settings",
}
ELSEWHERE = {"utility_id_eia": "edc__utility__eia_id", "usage_point_id": "service_point__usage_point_id", "county_fips": "county_id"}
DER_EXPORT = REGISTRY_COLUMNS | {name: ELSEWHERE.get(name, name) for name, term in dictionary.FIELDS.items() if not term.personal}
