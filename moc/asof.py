"""Which version stood at a moment, judged by all versions there are: also by those that the reader does not see.

Row-level security hides from a former party what came after it: judged by what is seen, its last version would stand for ever. So the
order of versions (object, moment, number, transaction: no content) is read through a view of the owner's, one for each historical table.
"""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, Q, Value


class AnyOf(Func):
    """value = ANY(array): one sorted pass of the index for a hundred thousand keys."""

    template, arg_joiner, output_field = "%(expressions)s)", " = ANY(", BooleanField()


def order_of(model) -> str:
    """The view of the order of a historical model's versions."""
    return f"{model._meta.db_table[:57]}_order"


class Followed(Func):
    """Whether a later version of the same object was written by a moment, and below a horizon where there is one."""

    output_field = BooleanField()

    def __init__(self, model, moment, horizon: int | None):
        self.model, self.bounded = model, horizon is not None
        bounds = [Value(moment)] + ([Value(horizon)] if self.bounded else [])
        super().__init__(F(model.instance_type._meta.pk.attname), F("history_date"), F("history_id"), *bounds)

    def as_sql(self, compiler, connection, **extra):
        parts = [compiler.compile(each) for each in self.source_expressions]
        (key, date, number, moment, *horizon), params = [text for text, _ in parts], [value for _, each in parts for value in each]
        column = self.model.instance_type._meta.pk.column
        known = f"later.history_date <= {moment}" + (f" AND later.transaction_id < {horizon[0]}" if horizon else "")
        later = f"(later.history_date, later.history_id) > ({date}, {number})"
        return f'EXISTS (SELECT FROM "{order_of(self.model)}" AS later WHERE later."{column}" = {key} AND {later} AND {known})', params


class Latest(Func):
    """The numbers of the last versions by a moment of the objects whose keys are in an array: one pass of the index."""

    def __init__(self, model, keys: ArraySubquery, moment, horizon: int | None):
        self.model = model
        super().__init__(keys, Value(moment), *([Value(horizon)] if horizon is not None else []))

    def as_sql(self, compiler, connection, **extra):
        parts = [compiler.compile(each) for each in self.source_expressions]
        (keys, moment, *horizon), params = [text for text, _ in parts], [value for _, each in parts for value in each]
        column = f'each."{self.model.instance_type._meta.pk.column}"'
        known = f"each.history_date <= {moment}" + (f" AND each.transaction_id < {horizon[0]}" if horizon else "")
        chosen = f'SELECT DISTINCT ON ({column}) each.history_id FROM "{order_of(self.model)}" AS each WHERE {column} = ANY({keys})'
        return f"ARRAY({chosen} AND {known} ORDER BY {column}, each.history_date DESC, each.history_id DESC)", params


def stood(model, moment, horizon: int | None = None, among=None) -> Q:
    """The condition on a historical model's rows that they stood at a moment (moc.history.VersionQuerySet.as_of)."""
    known = Q(history_date__lte=moment) if horizon is None else Q(history_date__lte=moment, transaction_id__lt=horizon)
    if among is None:
        return known & ~Q(Followed(model, moment, horizon))
    keys = ArraySubquery(among.order_by().values(model.instance_type._meta.pk.attname).distinct())
    return Q(AnyOf(F("history_id"), Latest(model, keys, moment, horizon)))
