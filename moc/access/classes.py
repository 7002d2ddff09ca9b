"""The table an auditor reads beside roles.py: of which class the data of each table are. How long a class is kept, and whether it leaves
the platform in a copy of the registry, follows from it."""

from collections.abc import Mapping
from typing import TypeVar

from django.db.models import Model, TextChoices

Said = TypeVar("Said")


class DataClass(TextChoices):
    """What a table's rows are about."""

    IDENTITY = "identity", "Identity: persons, sign-in, and who looked at whom"
    REGISTRY = "registry", "Registry: what exists, and the decisions about it"
    MARKET = "market", "Market: what was promised, earned and disputed"
    TELEMETRY = "telemetry", "Telemetry: measurements and what is computed from them by the hour"


# a slice, or one of its models as "slice:Model", which goes before its slice
CLASSES = {
    "moc": DataClass.REGISTRY,
    "moc.access": DataClass.IDENTITY,
    "moc.access:Organization": DataClass.REGISTRY,
    "moc.access:Oversight": DataClass.REGISTRY,
    "moc.accesslog": DataClass.IDENTITY,
    "moc.accounts": DataClass.IDENTITY,
    "moc.jobs": DataClass.IDENTITY,
    "moc.notices": DataClass.IDENTITY,
    "moc.vault": DataClass.IDENTITY,
    "moc.webhooks": DataClass.IDENTITY,
    "registry": DataClass.REGISTRY,
    "registry.customers": DataClass.IDENTITY,
    "registry.participants:Contact": DataClass.IDENTITY,
    "registry.participants:DerOwner": DataClass.IDENTITY,
    "registry.rosters:RosterSheet": DataClass.IDENTITY,
    "operations": DataClass.TELEMETRY,
    "operations.network": DataClass.REGISTRY,
    "market": DataClass.MARKET,
    "settlement": DataClass.MARKET,
}


def class_of(model: type[Model]) -> DataClass:
    """The class of a model's data, or of the versions of one. Raises KeyError for a model of nobody's table."""
    return said_of(getattr(model, "instance_type", model), CLASSES)


def said_of(model: type[Model], table: Mapping[str, Said]) -> Said:
    """What a table of slices says of a model: its own entry, or its slice's, or its package's. Raises KeyError where none does."""
    name = model.__module__.removesuffix(".models")
    own = f"{name}:{model.__name__}"
    if own in table:
        return table[own]
    while name not in table and "." in name:
        name = name.rpartition(".")[0]
    return table[name]
