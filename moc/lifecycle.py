"""A lifecycle is data: which status may follow which, and who may move it.

One list of transitions feeds the service, the buttons, the API, the diagram on the help page, the tests and the triggers that
refuse an illegal move by any writer.
"""

from dataclasses import dataclass

import pgtrigger
from django.db.models import QuerySet

from moc.errors import Conflict, UserError
from moc.history import DatabaseTrigger, acting


class TransitionRefused(Conflict):
    """Some rows of the set are not in a status from which the transition starts; nothing was moved."""

    code = "LIFECYCLE"

    def __init__(self, transition: "Transition", refused: int, expected: int, labels: dict[str, str]):
        self.name, self.refused, self.expected = transition.name, refused, expected
        sources = " or ".join(f"“{labels.get(source, source)}”" for source in transition.sources)
        super().__init__(f"“{transition.title}” is possible only from {sources}: {refused} of {expected} are not.", "Reload and try again.")


class ReasonMissing(UserError):
    """The transition is one that must be explained."""

    code = "LIFECYCLE-REASON"


@dataclass(frozen=True)
class Transition:
    """One allowed move. `permission` is what the actor needs; None means that only the system makes it; some owe a reason.

    A `sensitive` move asks a person at the browser to show again who they are (moc.access.presence).
    """

    name: str
    sources: tuple[str, ...]
    target: str
    permission: str | None
    label: str = ""
    needs_reason: bool = False
    danger: bool = False
    sensitive: bool = False

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ").capitalize()


class StatusGuard(DatabaseTrigger):
    """Refuse an illegal status; the condition is in WHEN, so a legal row costs no function call."""

    when, level = pgtrigger.Before, pgtrigger.Row

    def __init__(self, *, illegal: str, **kwargs):
        self.illegal = illegal
        super().__init__(**kwargs)

    def render_condition(self, model) -> str:
        return f"WHEN ({self.illegal})"

    def get_func(self, model) -> str:
        before = "OLD.status" if self.operation == pgtrigger.Update else "'(new)'"
        return f"""RAISE EXCEPTION '{model._meta.verbose_name}: status % may not follow %', NEW.status, {before}
            USING ERRCODE = 'check_violation', CONSTRAINT = 'lifecycle';"""


class Lifecycle:
    """The transitions of one model's `status`, and the statuses a new row may have."""

    def __init__(self, *transitions: Transition, initial: tuple[str, ...]):
        self.initial = tuple(initial)
        self.transitions = {transition.name: transition for transition in transitions}

    def contribute_to_class(self, cls, name) -> None:
        """Django calls this for a model's attribute: the guard comes with the lifecycle."""
        setattr(cls, name, self)
        pgtrigger.register(*self.guard())(cls)

    def guard(self) -> list[pgtrigger.Trigger]:
        """The triggers of a model with this lifecycle."""
        moves = sorted({(str(source), str(move.target)) for move in self.transitions.values() for source in move.sources})
        legal = " OR ".join(f"(OLD.status = '{source}' AND NEW.status = '{target}')" for source, target in moves) or "FALSE"
        initial = ", ".join(f"'{status}'" for status in self.initial)
        return [
            StatusGuard(
                name="lifecycle_update",
                operation=pgtrigger.Update,
                illegal=f"OLD.status IS DISTINCT FROM NEW.status AND NOT ({legal})",
            ),
            StatusGuard(name="lifecycle_insert", operation=pgtrigger.Insert, illegal=f"NEW.status NOT IN ({initial})"),
        ]

    def available(self, status: str) -> list[Transition]:
        """The transitions that start at `status`."""
        return [transition for transition in self.transitions.values() if status in transition.sources]

    def move(self, queryset: QuerySet, name: str, *, actor, reason: str = "", **values) -> int:
        """Move one row or a million in one UPDATE, all or nothing; returns how many. `values` are set in the same statement.

        The caller has checked the transition's permission. Raises TransitionRefused or ReasonMissing.
        """
        transition_ = self.transitions[name]
        if transition_.needs_reason and not reason.strip():
            raise ReasonMissing(f"“{transition_.title}” needs a reason.", "Write why.")
        with acting(actor, reason or transition_.title):
            expected = queryset.order_by().count()
            moved = queryset.order_by().filter(status__in=transition_.sources).update(status=transition_.target, **values)
            if moved != expected:
                labels = dict(queryset.model._meta.get_field("status").flatchoices)
                raise TransitionRefused(transition_, expected - moved, expected, labels)
        return moved


def diagram(lifecycle: Lifecycle, labels: dict[str, str]) -> dict:
    """Nodes and edges of the lifecycle, laid out in columns by distance from the initial statuses, for the help page."""
    depth = dict.fromkeys(lifecycle.initial, 0)
    frontier = list(lifecycle.initial)
    while frontier:
        frontier = [
            move.target
            for status in frontier
            for move in lifecycle.available(status)
            if move.target not in depth and not depth.update({move.target: depth[status] + 1})
        ]
    edges = [(source, move.target, move) for move in lifecycle.transitions.values() for source in move.sources]
    return {"depth": depth, "nodes": [(status, labels.get(status, status)) for status in depth], "edges": edges}
