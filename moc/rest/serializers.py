"""Serializers that describe records, and lay out pages of them from plain rows of values."""

from functools import cache
from math import isfinite

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from moc.lifecycle import Lifecycle

ANY_ID = "5f6b3a52-6f0e-4d0a-9a57-0c1f1d1b7c11"


def example(value: dict):
    """A body as it is sent, shown in the API's description beside its schema."""
    return extend_schema_serializer(examples=[OpenApiExample("As it is sent", value=value, request_only=True)])


class Flat(serializers.ModelSerializer):
    """A record as columns: each field is one lookup (its `source`), so a page is one query and costs no field objects.

    The same serializer describes the record in the OpenAPI document; it never reads or writes single objects.
    """

    @classmethod
    @cache
    def lookups(cls) -> dict[str, str]:
        """Name in JSON → lookup. A field of the whole record (source "*") is no lookup: the resource adds it."""
        return {name: field.source.replace(".", "__") for name, field in cls().fields.items() if field.source != "*"}

    @classmethod
    def lay(cls, rows: QuerySet) -> dict[object, dict]:
        """Primary key → the record as it is sent."""
        lookups = cls.lookups()
        names = list(lookups)
        return {key: dict(zip(names, values, strict=True)) for key, *values in rows.order_by().values_list("pk", *lookups.values())}


@example({"reason": "Filed by mistake"})
class Reason(serializers.Serializer):
    """Why a record is moved; some moves demand it."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000, default="")


class Change(serializers.Serializer):
    """A field's value before and after."""

    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class VersionSerializer(serializers.Serializer):
    """One version of a record, and what differs from the version before it."""

    version = serializers.CharField(help_text="also the entity tag of the record in this version")
    kind = serializers.ChoiceField(choices=["created", "changed", "removed"])
    recorded_at = serializers.DateTimeField()
    by = serializers.CharField(allow_null=True, help_text="who wrote it, for those who may audit; null for the system")
    reason = serializers.CharField(allow_blank=True)
    changes = serializers.DictField(child=Change())


class Finite(serializers.FloatField):
    """A number that JSON can tell again: neither infinite nor none."""

    def to_internal_value(self, data) -> float:
        value = super().to_internal_value(data)
        if not isfinite(value):
            self.fail("invalid")
        return value


def moves(lifecycle: Lifecycle) -> list[str]:
    """The transitions that people make."""
    return [move.name for move in lifecycle.transitions.values() if move.permission]


def slug_of(source: str, help_text: str = "", **kwargs) -> serializers.SlugField:
    """An organisation by its slug."""
    return serializers.SlugField(source=f"{source}.slug", help_text=help_text or "the organisation's slug", **kwargs)
