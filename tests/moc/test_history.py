"""Every writer leaves versions, nobody loses them, and a change by nobody for no reason is refused."""

import psycopg
import pytest
from django.contrib.auth.hashers import make_password
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from moc.access.models import Organization, User
from moc.history import acting
from registry.grid.models import County
from tests.connections import act, connected

pytestmark = pytest.mark.django_db
Versions = Organization.history.model


@pytest.fixture
def ann() -> User:
    with acting(None, "system: test"):
        return User.objects.create_user("ann@example.org", "long enough for anybody")


def new(slug: str) -> Organization:
    return Organization(kind="edc", name=slug.upper(), slug=slug)


def left(slug: str) -> list[tuple]:
    """(kind of change, actor, reason) of the versions of an organisation, oldest first."""
    rows = Versions.objects.filter(slug=slug).order_by("history_id")
    return list(rows.values_list("history_type", "history_user_id", "history_change_reason"))


def test_insert_update_and_delete_of_one_object(ann):
    with acting(ann, "arrives"):
        organization = Organization.objects.create(kind="edc", name="One", slug="one")
    with acting(ann, "is renamed"):
        organization.name = "First"
        organization.save()
    with acting(ann, "leaves"):
        organization.delete()
    assert left("one") == [("+", ann.pk, "arrives"), ("~", ann.pk, "is renamed"), ("-", ann.pk, "leaves")]
    assert list(Versions.objects.order_by("history_id").values_list("name", flat=True)) == ["One", "First", "First"]


def test_bulk_methods_of_the_orm(ann):
    with acting(ann, "many"):
        Organization.objects.bulk_create([new("a"), new("b")])
        Organization.objects.filter(slug__in=["a", "b"]).update(legal_name="Same, Inc.")
        changed = Organization.objects.get(slug="a")
        changed.legal_name = "Other, Inc."
        Organization.objects.bulk_update([changed], ["legal_name"])
        again = new("a")
        again.legal_name = "Third, Inc."
        Organization.objects.bulk_create([again, new("c")], update_conflicts=True, unique_fields=["slug"], update_fields=["legal_name"])
        Organization.objects.filter(slug="b").delete()
    assert [kind for kind, _, _ in left("a")] == ["+", "~", "~", "~"]
    assert [kind for kind, _, _ in left("b")] == ["+", "~", "-"]
    assert left("c") == [("+", ann.pk, "many")]


def test_copy_and_insert_select(ann):
    with acting(ann, "by COPY"), connection.cursor() as cursor:
        with cursor.copy("COPY registry_county (fips, name, state) FROM STDIN (FORMAT csv)") as copy:
            copy.write(b"34001,Atlantic,NJ\n34003,Bergen,NJ\n")
        cursor.execute("INSERT INTO registry_county (fips, name, state) SELECT '99' || substr(fips, 3), name, 'ZZ' FROM registry_county")
    versions = County.history.model.objects.all()
    assert set(versions.values_list("history_user_id", "history_change_reason")) == {(ann.pk, "by COPY")}
    assert sorted(versions.values_list("fips", flat=True)) == ["34001", "34003", "99001", "99003"]


def test_one_statement_is_one_moment_of_one_transaction(ann):
    with acting(ann, "many"):
        Organization.objects.bulk_create(new(f"o{number}") for number in range(50))
    assert Versions.objects.values("history_date", "transaction_id").distinct().count() == 1


def test_a_plain_session_of_the_app_role_leaves_versions_too():
    with connected("app") as session, session.cursor() as cursor:
        act(cursor, reason="by hand")
        cursor.execute("SELECT set_config('moc.user', '1', true)")  # who sees no row changes none
        cursor.execute("INSERT INTO moc_organization (kind, name, legal_name, slug, is_active) VALUES ('edc', 'P', '', 'p', true)")
        cursor.execute("UPDATE moc_organization SET name = 'Q' WHERE slug = 'p'")
        cursor.execute("SELECT history_type, name, history_change_reason FROM moc_historicalorganization ORDER BY history_id")
        assert cursor.fetchall() == [("+", "P", "by hand"), ("~", "Q", "by hand")]


@pytest.mark.parametrize("role", ["app", "owner"])
def test_a_change_by_nobody_for_no_reason_is_refused(role):
    with connected(role) as session, pytest.raises(psycopg.errors.InsufficientPrivilege, match="needs an actor or a reason"):
        session.execute("INSERT INTO moc_organization (kind, name, legal_name, slug, is_active) VALUES ('edc', 'P', '', 'p', true)")


def test_the_orm_is_refused_outside_acting():
    with pytest.raises(DatabaseError, match="needs an actor or a reason"), transaction.atomic():
        new("x").save()
    with pytest.raises(DatabaseError), acting(None, ""):
        new("x").save()
    assert not Organization.objects.exists()


def test_a_change_that_touches_no_row_needs_no_reason():
    assert Organization.objects.filter(slug="nobody").update(name="X") == 0
    assert Organization.objects.filter(slug="nobody").delete()[0] == 0


def test_updates_that_change_nothing_leave_nothing(ann):
    with acting(ann, "arrives"):
        Organization.objects.bulk_create([new("a"), new("b")])
    with acting(ann, "nothing new"):
        Organization.objects.get(slug="a").save()
        Organization.objects.update(kind="edc")
    assert len(left("a")) == len(left("b")) == 1
    Organization.objects.update(kind="edc")  # nothing to answer for, so nobody asks who
    with acting(ann, "one of two"):
        Organization.objects.filter(slug="b").update(legal_name="B, Inc.")
        Organization.objects.update(legal_name="B, Inc.")
    assert [len(left(slug)) for slug in "ab"] == [2, 2]


def test_the_exempt_columns_leave_no_version_and_need_no_actor(ann):
    User.objects.filter(pk=ann.pk).update(last_login=timezone.now(), password=make_password("another long one"))
    assert ann.history.count() == 1
    assert not {"password", "last_login"} & {field.name for field in User.history.model._meta.fields}


@pytest.mark.parametrize("role", ["app", "owner"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE moc_historicalorganization SET name = 'forged'",
        "DELETE FROM moc_historicalorganization",
        "TRUNCATE moc_historicalorganization",
        "TRUNCATE moc_organization CASCADE",
    ],
)
def test_history_is_sealed(role, statement):
    with connected(role) as session, session.cursor() as cursor:
        act(cursor, reason="wants to forge")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            cursor.execute(statement)


def test_the_app_role_cannot_insert_versions():
    with connected("app") as session, session.cursor() as cursor, pytest.raises(psycopg.errors.InsufficientPrivilege):
        cursor.execute("INSERT INTO moc_historicalorganization (id, history_date, history_type) VALUES (1, now(), '+')")


def test_the_app_role_cannot_hang_the_trigger_under_a_table_of_its_own():
    with connected("app") as session, session.cursor() as cursor:
        cursor.execute(
            "SELECT tgfoid::regproc FROM pg_trigger WHERE tgrelid = 'moc_organization'::regclass AND tgname LIKE '%history_insert%'"
        )
        function = cursor.fetchone()[0]
        cursor.execute("CREATE TEMP TABLE forged (LIKE moc_organization)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            cursor.execute(
                "CREATE TRIGGER forge AFTER INSERT ON forged REFERENCING NEW TABLE AS changed FOR EACH STATEMENT "
                f"EXECUTE FUNCTION {function}()"
            )


def test_the_key_of_a_recorded_row_stays():
    with connected("app") as session, session.cursor() as cursor:
        act(cursor, reason="renumber")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="names the object"):
            cursor.execute("UPDATE registry_county SET fips = '00000'")


@pytest.mark.parametrize("setting", ["pgtrigger.ignore = '{history_insert}'", "session_replication_role = replica"])
def test_no_setting_of_the_app_role_switches_the_triggers_off(setting):
    with connected("app") as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(f"SET LOCAL {setting}")
        session.execute("INSERT INTO moc_organization (kind, name, legal_name, slug, is_active) VALUES ('edc', 'P', '', 'p', true)")


def test_diffs_of_simple_history_work_on_versions_of_the_triggers(ann):
    with acting(ann, "arrives"):
        organization = new("a")
        organization.save()
    with acting(ann, "moves"):
        Organization.objects.filter(pk=organization.pk).update(legal_name="A, Inc.", is_active=False)
    newest, oldest = organization.history.all()
    delta = newest.diff_against(oldest)
    assert {(change.field, change.old, change.new) for change in delta.changes} == {
        ("legal_name", "", "A, Inc."),
        ("is_active", True, False),
    }
    assert newest.history_user == ann
    assert newest.prev_record == oldest
    assert organization.history.earliest().instance.is_active
