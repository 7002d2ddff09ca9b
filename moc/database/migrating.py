"""Migrations that do not render every model anew at each index, constraint and trigger: two thirds of a first migration went there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from django.db.migrations.state import ProjectState
from pgtrigger.migrations import AddTrigger, RemoveTrigger

BESIDE = ("indexes", "constraints", "triggers")  # lists of a model that no other model's rendering depends on
CHANGE_THEM = (
    (ProjectState, "_append_option"),
    (ProjectState, "_remove_option"),
    (ProjectState, "_alter_option"),
    (AddTrigger, "state_forwards"),
    (RemoveTrigger, "state_forwards"),
)


@contextmanager
def light_state() -> Iterator[None]:
    """For the block, a historical model whose index, constraint or trigger changes is given the new list, and stays.

    Django would render it again with every model that is two relations away: from organisations and users that is all of them.
    """
    with ExitStack() as stack:
        for owner, name in CHANGE_THEM:
            stack.enter_context(mock.patch.object(owner, name, _lightly(getattr(owner, name))))
        yield


def _lightly(change: Callable) -> Callable:
    def changed(*args) -> None:
        with mock.patch.object(ProjectState, "reload_model", _hand_over):
            change(*args)

    return changed


def _hand_over(state: ProjectState, app_label: str, name: str, delay: bool = False) -> None:
    """In place of rendering: the lists of the model's state become those of the model, if it was rendered at all."""
    if "apps" in state.__dict__:
        meta, options = state.apps.get_model(app_label, name)._meta, state.models[app_label, name.lower()].options
        for each in BESIDE:
            setattr(meta, each, list(options.get(each, ())))
