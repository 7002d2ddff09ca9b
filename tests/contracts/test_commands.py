"""Commands see what they work on, although nobody is signed in (N2)."""

import pytest
from django.core.management import get_commands, load_command_class

from moc import sight
from moc.apps import own_models
from moc.commands import PlatformCommand

APPS = {model._meta.app_config.name for model in own_models()}
OWN = sorted(name for name, app in get_commands().items() if app in APPS and name != "migrate")  # which works as the tables' owner


@pytest.mark.parametrize("name", OWN)
def test_every_command_sees_every_row(name):
    assert len(OWN) > 5
    assert issubclass(type(load_command_class(get_commands()[name], name)), PlatformCommand)


def test_a_command_sees_where_nobody_else_does():
    class Looks(PlatformCommand):
        def handle(self, *args, **options) -> None:
            self.seen = sight.current()

    looks = Looks()
    with sight.seeing(sight.NOTHING):
        looks.execute(no_color=False, force_color=False, skip_checks=True)
    assert looks.seen == sight.ENGINE
