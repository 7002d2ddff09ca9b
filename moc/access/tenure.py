"""Tenure: a party's right to a record that lasts from one day to another, and what the party sees of it afterwards.

A model says `access_tenure = Tenure("registry.DerTenure")`: rows of that table name the record, the party of one access path and the days
(`valid_during`, whole days in the state's time zone, half open). A former party sees the record's versions of its own days and nothing
later; the next party nothing earlier. A tenure that is over names its `closing` version: the record as it stood when the last day ended.
Those versions are the list of former records: as fast as the list of present ones, by index ranges over the tenures.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.apps import apps
from django.conf import settings
from django.db.models import DateField, DateTimeField, Exists, Expression, Func, Model, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast

from moc.intervals import day_bounds

FORMER = "former"
WANTED = ("current", FORMER)  # the values of ?tenure=
HEADER = "Tenure-Ended"
CLOSES = "closes__"  # from a version to the tenure that it closes
ENDED = {f"{CLOSES}closing__isnull": False}


@dataclass(frozen=True)
class Tenure:
    """Which table holds the tenures of a model's records, the access path whose right they bound, and their key of the record."""

    table: str
    path: str = "aggregator"
    record: str = "der"

    @property
    def model(self) -> type[Model]:
        return apps.get_model(self.table)

    def held(self, moment: datetime | None = None) -> Exists:
        """Versions whose party held the record when they were written; with `moment`, held it then (midnight ends the day before)."""
        own = {f"{self.record}_id": OuterRef("id"), f"{self.path}_id": OuterRef(f"{self.path}_id")}
        day = day_of(moment) if moment else local_day(OuterRef("history_date"))
        return Exists(self.model._base_manager.filter(**own, valid_during__contains=day))


def of(model: type[Model]) -> Tenure | None:
    """The tenure that a model, or the model of these versions, declares."""
    return getattr(getattr(model, "instance_type", model), "access_tenure", None)


def within(model: type[Model], path: str, moment: datetime | None = None) -> Q:
    """What a path opens of versions beside its key: only those of the party's own days. Nothing more for records as they are now."""
    tenure = of(model)
    bounded = tenure is not None and tenure.path == path and hasattr(model, "instance_type")
    return Q(tenure.held(moment)) if bounded else Q()


def local_day(moment: Expression) -> Cast:
    """The local day of a moment in a query."""
    return Cast(Func(Value(settings.TIME_ZONE), moment, function="timezone", output_field=DateTimeField()), DateField())


def day_of(moment: datetime) -> date:
    """The local day that a moment closes or lies in."""
    return (moment - timedelta(microseconds=1)).astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def held_until(version: Model) -> datetime:
    """The last instant of the tenure that a version closed."""
    return day_bounds(version.closes.valid_during.upper, settings.TIME_ZONE)[0] - timedelta(microseconds=1)


def ended(model: type[Model]) -> QuerySet:
    """The closing versions of every tenure that is over, before scope; not of those that the same party has again, or had again later."""
    tenure = of(model)
    own = {f"{name}_id": OuterRef(f"{CLOSES}{name}_id") for name in (tenure.record, tenure.path)}
    later = tenure.model._base_manager.filter(Q(closing__isnull=False) | Q(status="running"), **own, pk__gt=OuterRef(f"{CLOSES}pk"))
    rows = model.history.model.objects.filter(~Exists(later), **ENDED)
    rows.former = True
    return rows


def is_former(rows: QuerySet) -> bool:
    """Whether these are rows of `ended`."""
    return getattr(rows, "former", False)


def closing(versions: QuerySet) -> QuerySet:
    """Of one record's versions those that closed a tenure, the latest first; none where there are no tenures."""
    if of(versions.model) is None:
        return versions.none()
    return versions.filter(**ENDED).select_related("closes").order_by("-history_date", "-history_id")


def branches(model: type[Model], user, permission: str = "view_registry") -> list[Q] | None:
    """policy.branches for the rows of `ended`: each is an index range over the tenures."""
    from moc.access import policy

    found = policy.branches(of(model).model, user, permission)
    return None if found is None else [_over_tenures(branch) for branch in found]


def visible(rows: QuerySet, model: type[Model], user, permission: str = "view_registry") -> QuerySet:
    """policy.scope for the rows of `ended`."""
    found = branches(model, user, permission)
    if found is None:
        return rows
    condition = Q(*found, _connector=Q.OR)
    return rows.filter(condition) if found else rows.none()


def _over_tenures(condition: Q) -> Q:
    """A condition on tenures as one on the versions that close them."""
    children = [_over_tenures(each) if isinstance(each, Q) else (f"{CLOSES}{each[0]}", each[1]) for each in condition.children]
    return Q(*children, _connector=condition.connector, _negated=condition.negated)
