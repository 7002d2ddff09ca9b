"""Columns of lists of aggregations and members; members export in the columns of a file of members."""

from dataclasses import replace

from django.urls import reverse

from moc.portal import Column, Table
from registry.aggregations.choices import Purpose
from registry.aggregations.models import Aggregation
from registry.ders.choices import Technology

AGGREGATION_TABLE = Table(
    caption="Aggregations",
    url=lambda row: reverse("registry:aggregation_detail", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No aggregations match",
    columns=(
        Column("name", "Aggregation", sort="id"),
        Column("status", "Status", kind="status", choices=Aggregation.Status),
        Column("purpose", "Purpose", choices=Purpose),
        Column("aggregator__name", "Aggregator"),
        Column("tso__name", "RTO"),
        Column("restate_since", "Performance outdated since"),
    ),
)
AGGREGATION_EXPORT = {
    "aggregation_id": "uuid",
    "name": "name",
    "status": "status",
    "purpose": "purpose",
    "aggregator": "aggregator__name",
    "rto": "tso__name",
    "participation_model": "participation_model",
    "services": "services",
    "upper_limit_kw": "upper_limit_kw",
    "lower_limit_kw": "lower_limit_kw",
    "stated_on": "stated_on",
    "effective_on": "effective_on",
}
MEMBER_TABLE = Table(
    caption="Members",
    url=lambda row: reverse("registry:der_detail", args=[row["der__uuid"]]),
    needs=("der__uuid",),
    empty_title="No members match",
    columns=(
        Column("der__external_id", "DER", kind="code", sort="id"),
        Column("der__der_type", "Technology", choices=Technology),
        Column("der__nameplate_ac_kw", "AC (kW)", numeric=True),
        Column("service__name", "Service"),
        Column("share_percent", "Share (%)", numeric=True),
        Column("edc__name", "Utility"),
        Column("valid_from", "From", value=lambda row: row["valid_during"].lower, needs=("valid_during",)),
        Column("valid_until", "Until", value=lambda row: row["valid_during"].upper, needs=("valid_during",)),
    ),
)
UNLINKED = replace(MEMBER_TABLE, url=None)  # for agents, whose the DERs' records are not
MEMBER_EXPORT = {
    "der": "der__external_id",
    "service": "service_id",
    "share_percent": "share_percent",
    "from": "valid_during__startswith",
    "until": "valid_during__endswith",
    "der_id": "der__uuid",
    "technology": "der__der_type",
    "nameplate_ac_kw": "der__nameplate_ac_kw",
    "utility": "edc__name",
}
