"""The database is what the models say: migrations, triggers, the rights of the two roles."""

import pgtrigger.registry
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from moc.apps import PACKAGES
from moc.history import Version

pytestmark = pytest.mark.django_db
HISTORY = sorted(model._meta.db_table for model in apps.get_models() if issubclass(model, Version))
OURS = [model for model in apps.get_models() if model._meta.app_label in PACKAGES]


def rows(query: str, *params) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()


def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_tests_run_as_the_app_role():
    ((name, *rights),) = rows(
        "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = session_user"
    )
    assert name == "moc_app" or "app" in name
    assert rights == [False] * 4
    assert rows("SELECT DISTINCT tableowner = session_user FROM pg_tables WHERE schemaname = 'public'") == [(False,)]
    assert rows("SELECT has_schema_privilege(session_user, 'public', 'CREATE')") == [(False,)]


@pytest.mark.parametrize("table", [*HISTORY, "django_migrations"])
def test_the_app_role_may_only_read_history(table):
    held = [
        right
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
        if rows("SELECT has_table_privilege(session_user, %s, %s)", table, right) == [(True,)]
    ]
    assert held == ["SELECT"]


def test_every_declared_trigger_is_installed_and_enabled():
    found = {trigger.get_installation_status(model) for model, trigger in pgtrigger.registry.registered()}
    assert found == {(pgtrigger.INSTALLED if hasattr(pgtrigger, "INSTALLED") else "INSTALLED", True)}


def test_trigger_functions_run_as_the_owner_with_a_fixed_path_and_are_nobodys_to_call():
    functions = rows(
        "SELECT proname, prosecdef, proconfig, has_function_privilege(session_user, oid, 'EXECUTE') FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'pgtrigger_%%'"
    )
    assert functions
    for name, definer, config, callable_ in functions:
        assert definer and config == ["search_path=public, pg_temp"] and not callable_, name


def test_no_function_of_ours_is_open_to_everybody():
    assert not rows(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef AND "
        "EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0)"
    )


@pytest.mark.parametrize("model", [model for model in OURS if hasattr(model, "history")], ids=lambda model: model.__name__)
def test_recorded_models_hold_nothing_that_history_cannot(model):
    for field in model._meta.get_fields():
        assert not getattr(field, "auto_now", False), field
        assert not (field.many_to_many and not field.auto_created), field
        assert not getattr(field, "generated", False), field


def test_every_model_of_ours_says_who_sees_its_rows():
    silent = [model.__name__ for model in OURS if not issubclass(model, Version) and not getattr(model, "access_paths", None)]
    assert not silent
