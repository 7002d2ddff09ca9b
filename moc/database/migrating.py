"""Migrations that render one historical model where Django renders all around it: nine tenths of a first migration went there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from django.db.migrations.state import ProjectState
from pgtrigger.migrations import AddTrigger, RemoveTrigger

BESIDE = ("indexes", "constraints", "triggers")  # lists of a model that its rendering does not depend on
CHANGE_LISTS = (
    (ProjectState, "_append_option"),
    (ProjectState, "_remove_option"),
    (ProjectState, "_alter_option"),
    (AddTrigger, "state_forwards"),
    (RemoveTrigger, "state_forwards"),
)
ADD = ("add_model", "add_field")


@contextmanager
def light_state() -> Iterator[None]:
    """For the block, a new model or field renders that model alone, and a new index, constraint or trigger none.

    Django would render every model that is related, or two relations away: from organisations and users that is all of them. Models that
    point at the rendered one keep its earlier class, which has the same table and key; functions of a migration (RunPython) are given
    models rendered anew, as Django does wherever it has put rendering off (`is_delayed`).
    """
    with ExitStack() as stack:
        for owner, name in CHANGE_LISTS:
            stack.enter_context(mock.patch.object(owner, name, _instead(getattr(owner, name), _hand_over)))
        for name in ADD:
            stack.enter_context(mock.patch.object(ProjectState, name, _instead(getattr(ProjectState, name), _render_alone)))
        yield


def _instead(change: Callable, reload_model: Callable) -> Callable:
    """The change with another way of bringing the rendered models up to it."""

    def changed(*args, **kwargs) -> None:
        with mock.patch.object(ProjectState, "reload_model", reload_model):
            change(*args, **kwargs)

    return changed


def _hand_over(state: ProjectState, app_label: str, name: str, delay: bool = False) -> None:
    """The lists of the model's state become those of the rendered model."""
    if "apps" in state.__dict__:
        meta, options = state.apps.get_model(app_label, name)._meta, state.models[app_label, name.lower()].options
        for each in BESIDE:
            setattr(meta, each, list(options.get(each, ())))


def _render_alone(state: ProjectState, app_label: str, name: str, delay: bool = False) -> None:
    if "apps" in state.__dict__:
        state.is_delayed = True
        state._reload({(app_label, name.lower())})
