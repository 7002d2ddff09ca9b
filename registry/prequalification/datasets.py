"""Verdicts and broken rules, to build reports on."""

from moc.reports.datasets import dataset
from registry.prequalification.models import BrokenRule, Qualification

PARTIES = (("aggregator__name", "Aggregator"), ("edc__name", "Utility"))

dataset(
    "qualifications",
    "Qualification",
    Qualification,
    ("der__external_id", "DER"),
    ("aggregation__name", "Aggregation"),
    *PARTIES,
    ("market__name", "Market"),
    ("service__name", "Service"),
    "by_rules",
    "eligible",
    "since",
    about="Verdicts on DERs and aggregations, by service.",
)

dataset(
    "broken-rules",
    "Broken rules",
    BrokenRule,
    ("der__external_id", "DER"),
    ("aggregation__name", "Aggregation"),
    *PARTIES,
    "code",
    "value",
    "limit",
    about="Which rule bars which DER or aggregation, with its number and the rule's.",
)
