"""What pgtrigger's registry looks up is what it would find by going through all triggers (`moc.triggers`)."""

import pgtrigger
import pytest
from pgtrigger import registry

from moc.access.models import Membership
from moc.triggers import Indexed

PLAIN = type(registry._registry).__mro__[1]


def _trigger(name: str, func: str = "RETURN NEW;") -> pgtrigger.Trigger:
    return pgtrigger.Trigger(name=name, when=pgtrigger.Before, operation=pgtrigger.Insert, func=func)


def _agrees() -> bool:
    found = registry._registry
    return found.by_db_table == PLAIN.by_db_table.fget(found) and found.pg_function_names == PLAIN.pg_function_names.fget(found)


def test_what_is_looked_up_is_what_stands_there():
    assert type(registry._registry) is Indexed and len(registry._registry) > 500
    assert _agrees()


def test_a_name_is_taken_once_and_free_again():
    """M12: a second trigger of a name would replace one that protects."""
    first, before = _trigger("tried"), len(registry._registry)
    with first.register(Membership):
        assert _agrees() and len(registry._registry) == before + 1
        with pytest.raises(KeyError, match="already used"):
            _trigger("tried", "RETURN NULL;").register(Membership)
    assert _agrees() and len(registry._registry) == before
