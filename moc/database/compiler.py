"""SQL in which a column that is hidden from whoever looks reads as nothing: also where it is filtered, sorted or summed by."""

from django.db.backends.postgresql import compiler
from django.db.models.expressions import Col

from moc import sight


class Shielding:
    """A hidden column is NULL in the rows in which it is hidden (moc.access.visibility says which)."""

    def compile(self, node):
        """The expression's SQL; of a column that is hidden, what is left of it."""
        hidden = sight.current().hidden
        if hidden and isinstance(node, Col) and (shields := hidden.get((node.target.model._meta.db_table, node.target.column))):
            return self._shielded(node, shields)
        return super().compile(node)

    def get_select(self, *args, **kwargs):
        """A column keeps its name where a statement is read by another: what stands in its place has none."""
        select, info, annotations = super().get_select(*args, **kwargs)
        if sight.current().hidden:
            select = [(each, made, alias or self._name_of(each)) for each, made, alias in select]
        return select, info, annotations

    def _name_of(self, node) -> str | None:
        hides = isinstance(node, Col) and (node.target.model._meta.db_table, node.target.column) in sight.current().hidden
        return node.target.column if hides else None

    def _shielded(self, node: Col, shields: tuple[sight.Shield, ...]) -> tuple[str, list]:
        plain, params = super().compile(node)
        quote = self.quote_name_unless_alias
        where = [
            "TRUE" if shield.among is None else f"{quote(node.alias)}.{quote(shield.key)} = ANY(%s::{shield.type}[])"
            for shield in shields
            if shield.among is None or shield.among
        ]
        keys = [sorted(shield.among) for shield in shields if shield.among]
        return (f"CASE WHEN {' OR '.join(where)} THEN NULL ELSE {plain} END", [*keys, *params]) if where else (plain, params)


class SQLCompiler(Shielding, compiler.SQLCompiler):
    """SELECT."""


class SQLAggregateCompiler(Shielding, compiler.SQLAggregateCompiler):
    """SELECT of an aggregate over a subquery."""


SQLInsertCompiler, SQLUpdateCompiler, SQLDeleteCompiler = compiler.SQLInsertCompiler, compiler.SQLUpdateCompiler, compiler.SQLDeleteCompiler
