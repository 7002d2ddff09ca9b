"""Which status may follow which: refused by service, ORM and plain SQL alike; the guard in the database is the one list."""

from dataclasses import replace
from itertools import product

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from moc.history import acting
from moc.lifecycle import Lifecycle, ReasonMissing, TransitionRefused, diagram
from registry.submissions.models import Submission
from tests.connections import act

pytestmark = pytest.mark.django_db
MODELS = [model for model in apps.get_models() if isinstance(getattr(model, "lifecycle", None), Lifecycle)]
FILED_AT = "2026-01-05T12:00:00Z"


def statuses(model) -> list[str]:
    return [str(value) for value in model.Status.values]


def guard(model, operation: str) -> str:
    """The WHEN condition of the installed guard, as PostgreSQL prints it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE %s",
            [model._meta.db_table, f"pgtrigger_lifecycle_{operation}_%"],
        )
        definition = cursor.fetchone()[0]
    return definition.split(" WHEN ")[1].split(" EXECUTE ")[0]


def refused(model, operation: str, pairs: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of pairs (old, new) those that the installed guard refuses, asked of PostgreSQL itself."""
    condition = guard(model, operation).lower().replace("old.status", "old_status").replace("new.status", "new_status")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT old_status, new_status FROM unnest(%s::text[], %s::text[]) AS pair (old_status, new_status) WHERE {condition}",
            [[old for old, _ in pairs], [new for _, new in pairs]],
        )
        return set(cursor.fetchall())


@pytest.fixture
def draft(world) -> Submission:
    with acting(None, "system: test"):
        return Submission.objects.create(aggregator=world.aggregator, source="form", title="One", status="draft")


def only(submission: Submission):
    return Submission.objects.filter(pk=submission.pk)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_installed_guard_allows_the_moves_of_the_list_and_no_other(model):
    pairs = list(product(statuses(model), repeat=2))
    allowed = {(str(source), str(move.target)) for move in model.lifecycle.transitions.values() for source in move.sources}
    assert refused(model, "update", pairs) == {(old, new) for old, new in pairs if old != new} - allowed


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_installed_guard_admits_new_rows_only_in_an_initial_status(model):
    pairs = [("", status) for status in statuses(model)]
    assert refused(model, "insert", pairs) == {("", status) for status in set(statuses(model)) - set(map(str, model.lifecycle.initial))}


AGAIN = {"vary"}  # what is approved with limits is approved with others


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_status_is_reachable_and_every_transition_is_well_named(model):
    drawn = diagram(model.lifecycle, dict(model.Status.choices))
    assert {status for status, _ in drawn["nodes"]} == set(statuses(model))
    for name, move in model.lifecycle.transitions.items():
        assert name == move.name and move.title
        assert {*map(str, move.sources), str(move.target)} <= set(statuses(model))
        assert str(move.target) not in map(str, move.sources) or name in AGAIN


def test_transitions_ask_for_permissions_that_some_role_has():
    from moc.access.roles import roles_with

    needed = {move.permission for model in MODELS for move in model.lifecycle.transitions.values() if move.permission}
    assert all(roles_with(permission) for permission in needed)


def test_a_move_is_one_version_with_its_reason_and_values(world, draft):
    actor = world.user("aggregator", "approver")
    values = {"submitted_at": FILED_AT, "submitted_by": actor, "attestation_sha256": "0" * 64}
    assert Submission.lifecycle.move(only(draft), "submit", actor=actor, **values) == 1
    newest = draft.history.first()
    assert (newest.status, newest.history_user, newest.history_change_reason) == ("submitted", actor, "Submit")
    assert newest.submitted_by == actor


def test_a_move_is_all_or_nothing(world, draft):
    with acting(None, "system: test"):
        Submission.objects.create(aggregator=world.aggregator, source="form", title="Two", status="staging")
    with pytest.raises(TransitionRefused) as refusal:
        Submission.lifecycle.move(Submission.objects.all(), "submit", actor=None, reason="system: test")
    assert (refusal.value.refused, refusal.value.expected, refusal.value.code) == (1, 2, "LIFECYCLE")
    assert "“Draft”" in str(refusal.value)
    assert set(Submission.objects.values_list("status", flat=True)) == {"draft", "staging"}


def test_a_move_that_needs_a_reason_is_refused_without(draft):
    with pytest.raises(ReasonMissing):
        Submission.lifecycle.move(only(draft), "withdraw", actor=None, reason="  ")
    assert Submission.lifecycle.move(only(draft), "withdraw", actor=None, reason="system: test") == 1


def test_an_update_past_the_service_is_refused(draft):
    with pytest.raises(DatabaseError, match="status completed may not follow draft"), acting(None, "system: test"):
        only(draft).update(status="completed")
    with pytest.raises(DatabaseError, match="may not follow"), acting(None, "system: test"):
        draft.status = "in_review"
        draft.save()
    assert only(draft).get().status == "draft"


def test_a_new_row_in_a_later_status_is_refused(world):
    with pytest.raises(DatabaseError, match=r"status completed may not follow \(new\)"), acting(None, "system: test"):
        Submission.objects.bulk_create([Submission(aggregator=world.aggregator, source="form", title="X", status="completed")])


def test_plain_sql_is_refused(draft):
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        act(cursor, reason="by hand")
        cursor.execute("UPDATE registry_submission SET status = 'completed'")
    assert isinstance(refusal.value.__cause__, psycopg.errors.CheckViolation)
    assert refusal.value.__cause__.diag.constraint_name == "lifecycle"


def test_available_lists_the_moves_from_a_status():
    names = [move.name for move in Submission.lifecycle.available("submitted")]
    assert names == ["return_incomplete", "find_complete", "withdraw"]
    assert Submission.lifecycle.available("completed") == []


def test_a_title_is_the_label_or_the_name():
    move = Submission.lifecycle.transitions["find_complete"]
    assert (move.title, replace(move, label="Begin").title) == ("Find complete", "Begin")
