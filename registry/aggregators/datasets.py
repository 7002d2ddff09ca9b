"""Aggregators' registrations and certifications, to build reports on."""

from moc.reports.datasets import dataset
from registry.aggregators.models import AggregatorRegistration, Certification

dataset(
    "registrations",
    "Registrations of aggregators",
    AggregatorRegistration,
    ("aggregator__name", "Aggregator"),
    ("rerra__name", "Regulator"),
    "status",
    "legal_form",
    "formed_in",
    "registered_on",
    about="Aggregators as participants.",
)

dataset(
    "certifications",
    "Certifications of aggregators",
    Certification,
    ("aggregator__name", "Aggregator"),
    "kind",
    "issuer",
    "expires_on",
    "withdrawn_on",
    about="What somebody certified of aggregators, and until when.",
)
