"""Aggregations and their members, to build reports on."""

from moc.reports.datasets import dataset
from registry.aggregations.models import Aggregation, AggregationMember

dataset(
    "aggregations",
    "Aggregations",
    Aggregation,
    "name",
    ("uuid", "Aggregation id"),
    "status",
    "purpose",
    ("aggregator__name", "Aggregator"),
    ("tso__name", "RTO"),
    ("edc__name", "Utility"),
    "participation_model",
    ("td_interface__name", "T-D interface"),
    "services",
    "upper_limit_kw",
    "lower_limit_kw",
    "ramp_up_kw_per_min",
    "ramp_down_kw_per_min",
    "stated_kw",
    "market_id",
    "effective_on",
    "submitted_at",
    "due_at",
    about="What aggregators offer together, now or as recorded on a past day.",
)

dataset(
    "members",
    "Members of aggregations",
    AggregationMember,
    ("aggregation__name", "Aggregation"),
    ("aggregation__status", "Status of the aggregation"),
    ("aggregation__aggregator__name", "Aggregator"),
    ("service__name", "Service"),
    ("der__external_id", "DER"),
    ("der__der_type", "Technology"),
    ("der__nameplate_ac_kw", "Nameplate AC (kW)"),
    ("der__edc__name", "Utility"),
    ("valid_during__startswith", "First day"),
    ("valid_during__endswith", "First day after"),
    about="Which DER is in which aggregation for which service on which days.",
)
