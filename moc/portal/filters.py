"""Filters of lists: one filterset for portal and API; its choices name only parties that the user may know."""

import re
from collections.abc import Callable
from datetime import UTC

import django_filters
from django import forms
from django.db.models import Q
from django_filters.widgets import RangeWidget

from moc.access import policy
from moc.access.models import Organization
from moc.portal.moments import VALID_TIME

AN_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DIGITS = 18  # more than any quantity on record has; without a limit a number of a million digits reaches the database


class Either(django_filters.widgets.BooleanWidget):
    """Yes, no, or both: what is not asked is not unknown."""

    def __init__(self, attrs=None):
        super().__init__(attrs)
        self.choices = [("", "All"), *self.choices[1:]]


class ScopedFilterSet(django_filters.FilterSet):
    """A filterset that knows its user: `party_filters` maps a filter's name to the kind of organisation that it offers,

    `choice_filters` to a function of no arguments that gives its choices, read once a request.
    """

    party_filters: dict[str, str] = {}
    choice_filters: dict[str, Callable[[], list[tuple]]] = {}

    def __init__(self, data=None, queryset=None, *, request=None, prefix=None, user=None):
        super().__init__(data, queryset, request=request, prefix=prefix)
        self.user = user or getattr(request, "user", None)
        if self.party_filters:
            known = parties(self.user, set(self.party_filters.values()))
            for name, kind in self.party_filters.items():
                self.filters[name].extra["choices"] = [("", "All"), *known[kind]]
        for each in self.filters.values():
            if isinstance(each, django_filters.BooleanFilter):
                each.extra.setdefault("widget", Either)
        for name, choices in self.choice_filters.items():
            self.filters[name].extra["choices"] = choices()

    @property
    def in_force(self) -> bool:
        """Does any filter narrow the list?"""
        return self.form.is_valid() and any(value not in (None, "", [], ()) for value in self.form.cleaned_data.values())

    @property
    def faults(self) -> list[tuple[str, str]]:
        """(label, what is expected) of each filter that cannot be read."""
        labels = {name: field.label for name, field in self.form.fields.items()}
        return [(labels.get(name, "Filters"), message) for name, said in self.form.errors.items() for message in said]


class IdField(forms.UUIDField):
    """The id of a record: alone, or in the address of its page as it is copied."""

    default_error_messages = {
        "invalid": "This is no id. Copy the address of the record's page, or the id in it: 32 digits and letters a to f, with hyphens."
    }

    def to_python(self, value):
        found = AN_ID.findall(str(value)) if value else []
        return super().to_python(found[-1] if found else value)


class IdFilter(django_filters.UUIDFilter):
    """Records of one record of another kind, by its id."""

    field_class = IdField

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"help_text": "its id, or the address of its page"} | kwargs)


class PartyFilter(django_filters.ChoiceFilter):
    """Records of one organisation; its choices come from the filterset's user."""

    def __init__(self, **kwargs):
        super().__init__(choices=[], **kwargs)


class ValidOnFilter(django_filters.DateFilter):
    """Records that hold on a day, whenever they were recorded: their valid time."""

    def __init__(self, label: str):
        super().__init__(field_name=VALID_TIME, lookup_expr="contains", label=label, help_text="a day")


class MomentField(django_filters.fields.IsoDateTimeField):
    """A moment, in UTC; of the years 1 and 9999 a time zone may lead where no database follows."""

    def clean(self, value):
        moment = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    """Records as of a moment, or of one."""

    field_class = MomentField


class QuantityRangeField(django_filters.fields.RangeField):
    """Two decimal numbers of at most DIGITS digits, from and to."""

    def __init__(self, *args, **kwargs):
        super().__init__((forms.DecimalField(max_digits=DIGITS), forms.DecimalField(max_digits=DIGITS)), *args, **kwargs)


class QuantityRangeFilter(django_filters.RangeFilter):
    """Records whose quantity lies between two numbers, each optional."""

    field_class = QuantityRangeField

    def __init__(self, *args, **kwargs):
        super().__init__(*args, widget=RangeWidget(attrs={"inputmode": "decimal"}), **kwargs)


def parties(user, kinds: set[str]) -> dict[str, list[tuple[int, str]]]:
    """kind → [(id, name)] that a user may filter by: those in reach, or all of a kind of which none is in reach.

    A utility filters by every aggregator, an aggregator by every utility, but each knows only itself of its own kind.
    """
    known: dict[str, list[tuple[int, str]]] = {kind: [] for kind in kinds}
    reach = policy.reach(user, "view_registry")
    if not reach:
        return known
    rows = list(Organization.objects.filter(Q(kind__in=kinds), is_active=True).order_by("name").values_list("kind", "pk", "name"))
    for kind in kinds:
        mine = [(pk, name) for other, pk, name in rows if other == kind and pk in reach]
        known[kind] = mine if mine else [(pk, name) for other, pk, name in rows if other == kind]
    return known
