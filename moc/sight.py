"""Whose eyes the database sees with: row-level security's side of a request, a task or a command.

Each transaction is told the sight of the code that runs it (moc.database does so, transaction-locally, so that pooled connections carry
nothing over). Without a sight the app role sees no row. Services write inside `moc.history.acting`, which takes the engine's sight:
reading is for whoever looks, writing is for services, after policy.require. Nothing else may take it but what says why.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shield:
    """In which rows a column is hidden: those whose `key`, of an SQL type, is one of `among`; all of them for None."""

    key: str
    among: frozenset | None
    type: str = "bigint"


Hidden = dict[tuple[str, str], tuple[Shield, ...]]  # (table, column) → where it is hidden


@dataclass(frozen=True)
class Sight:
    """Who looks: a user, the ids of the organisations whose rows that user may see, and whether the user is staff of the platform's
    operator, who see operational facts; or the engine, which sees every row. `hidden` columns read as nothing (moc.database.compiler)."""

    user: int | None = None
    organizations: tuple[int, ...] = ()
    operator: bool = False
    engine: bool = False
    hidden: Hidden = field(default_factory=dict, compare=False)

    @property
    def settings(self) -> dict[str, str]:
        """The settings that policies of tables read, as text."""
        return {
            "moc.user": "" if self.user is None else str(self.user),
            "moc.organizations": "{" + ",".join(map(str, self.organizations)) + "}",
            "moc.operator": "on" if self.operator else "",
        }


NOTHING, ENGINE = Sight(), Sight(engine=True)
_current: ContextVar[Sight] = ContextVar("sight", default=NOTHING)


def current() -> Sight:
    """The sight of the code that runs."""
    return _current.get()


def take(sight: Sight) -> None:
    """Go on with another sight until the enclosing `seeing` ends: a request has found out who asks."""
    _current.set(sight)


@contextmanager
def seeing(sight: Sight) -> Iterator[None]:
    """See with `sight` inside; the outer sight is restored."""
    outer = _current.get()
    _current.set(sight)
    try:
        yield
    finally:
        _current.set(outer)


def engine():
    """See every row: for services, system tasks and commands."""
    return seeing(ENGINE)
