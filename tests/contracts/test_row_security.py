"""N2, N3: the second line. A query that forgot its scope, as the app role, finds nothing that its user may not see."""

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.http import HttpRequest, StreamingHttpResponse
from django.test import override_settings

from moc import sight
from moc.access import policy, rowsecurity
from moc.access.models import User
from moc.access.reach import parties_of
from moc.apps import own_models
from moc.celery import app
from moc.portal.streaming import streamed
from registry.ders.models import Der
from registry.grid.models import ServicePoint
from registry.submissions.models import StagedDer
from tests.contracts.scene import ACTORS
from tests.sharing import part_of

APP, ENGINE = settings.DATABASE_APP["USER"], settings.DATABASE_ENGINE_ROLE
GUARDED = sorted(rowsecurity.tables())
GUARDED_MODELS = [model for model in own_models() if model._meta.db_table in GUARDED]


def rows(statement: str, *values) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def keys(model) -> set:
    """What a raw query finds in the model's table."""
    return {key for (key,) in rows(f'SELECT "{model._meta.pk.column}" FROM "{model._meta.db_table}"')}


def test_only_users_have_no_second_line():
    assert [model for model in own_models() if model not in GUARDED_MODELS] == [User]


@pytest.mark.parametrize("table", GUARDED)
def test_every_table_has_its_policy(db, table):
    """Also the tables of history. A model that was migrated without one fails here."""
    found = rows("SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", f'"{table}"')
    policies = rows("SELECT policyname, cmd, roles = ARRAY[%s]::name[] FROM pg_policies WHERE tablename = %s", APP, table)
    assert (found, policies) == ([(True,)], [("sight", "ALL", True)])


def test_a_model_without_access_paths_gets_no_policy_but_an_error(monkeypatch):
    nameless = type("Nameless", (), {"_meta": Der._meta})
    monkeypatch.setattr(rowsecurity, "own_models", lambda: [nameless])
    with pytest.raises(AttributeError, match="access_paths"):
        rowsecurity.tables()


def test_the_app_role_is_bound_and_the_engine_is_not(db):
    assert rows("SELECT session_user = %s, current_user = %s", APP, ENGINE) == [(True, True)]
    with sight.seeing(sight.NOTHING):
        assert rows("SELECT session_user = current_user, row_security_active('registry_der')") == [(True, True)]


@pytest.mark.parametrize("table", GUARDED)
def test_without_a_sight_nothing_is_seen(scene, table):
    with sight.seeing(sight.NOTHING):
        assert rows(f'SELECT count(*) FROM "{table}"') == [(0,)]


def test_the_scene_has_rows_in_most_tables(scene):
    """So that the tests around it can fail."""
    filled = [model for model in GUARDED_MODELS if keys(model)]
    assert len(filled) > 0.8 * len(GUARDED_MODELS)


@pytest.mark.parametrize("actor", [actor for actor in ACTORS if actor != "stranger"])
def test_a_sight_shows_ones_own_and_no_others(scene, actor, whole):
    """Whatever the first line shows, the second lets through; and a row whose parties are all out of reach is not seen.

    An ordinary run looks into every third table, each actor into others.
    """
    user = scene.user(actor)
    eyes = policy.sight_of(user)
    for model in GUARDED_MODELS if whole else part_of(GUARDED_MODELS, actor, 3):
        with sight.seeing(eyes):
            seen = keys(model)
        assert set(policy.scope(model.objects.all(), user).values_list("pk", flat=True)) <= seen, model
        if eyes.engine or "PUBLIC" in policy.paths_of(model) or model.__dict__.get("second_line") or hasattr(model, "seen_with"):
            continue
        for row in model.objects.filter(pk__in=seen):
            own = "SELF" in policy.paths_of(model) and row.user_id == user.pk
            own = own or (eyes.operator and "OPERATOR" in policy.paths_of(model))
            assert own or parties_of(row).keys() & set(eyes.organizations), (model, row.pk)


def test_a_row_beside_a_record_is_seen_with_it_only(scene):
    """A service point is its utility's; an aggregator sees it where a DER or a filed row of its own names it."""
    named = {point for model in (Der, StagedDer) for point in model.objects.values_list("service_point", flat=True)} - {None}
    assert named
    with sight.seeing(policy.sight_of(scene.world.user("aggregator", "filer"))):
        assert keys(ServicePoint) == named
    with sight.seeing(policy.sight_of(scene.world.user("aggregator2", "filer"))):
        assert keys(ServicePoint) == set()


def test_a_setting_ends_with_its_transaction(scene):
    with sight.seeing(policy.sight_of(scene.world.user("aggregator", "filer"))), transaction.atomic():
        assert rows("SELECT count(*) FROM registry_der") != [(0,)]
    with sight.seeing(sight.NOTHING):
        assert rows("SELECT count(*) FROM registry_der") == [(0,)]


def test_a_rolled_back_savepoint_takes_its_sight_along(scene):
    """What a savepoint was told is undone with it; the next statement is told anew."""
    with sight.seeing(policy.sight_of(scene.world.user("aggregator", "filer"))):
        with transaction.atomic():
            with sight.engine():
                everything = rows("SELECT count(*) FROM registry_der")
            transaction.set_rollback(True)
        with sight.seeing(sight.NOTHING):
            assert rows("SELECT count(*) FROM registry_der") == [(0,)] != everything


def test_a_stream_keeps_the_sight_of_its_request(scene):
    def blocks():
        for (count,) in rows("SELECT count(*) FROM registry_der"):
            yield str(count).encode()

    with sight.seeing(policy.sight_of(scene.world.user("aggregator2", "filer"))):
        answer = StreamingHttpResponse(streamed(HttpRequest(), blocks()))
    assert b"".join(answer.streaming_content) == b"0"
    assert Der.objects.exists()


def test_a_task_sees_as_the_engine_and_leaves_nothing_behind(scene):
    @app.task(name="tests.count_ders")
    def count():
        return Der.objects.count()

    with sight.seeing(sight.NOTHING):
        assert count.apply().get() > 0
        assert Der.objects.count() == 0


def test_migrate_says_what_a_superuser_must_do(db):
    refused = pytest.raises(CommandError, match='CREATE ROLE "nobody_made_it" NOLOGIN BYPASSRLS')
    with sight.seeing(sight.NOTHING), override_settings(DATABASE_ENGINE_ROLE="nobody_made_it"), refused:
        call_command("migrate", verbosity=0)
