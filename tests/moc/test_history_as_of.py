"""The record as it stood: at every instant it equals what a simple model of the writes says."""

import pytest
from django.db import ProgrammingError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from moc import sight
from moc.asof import order_of
from moc.history import acting
from registry.grid.models import County

pytestmark = pytest.mark.django_db
Versions = County.history.model
CODES = ["34001", "34003", "34005"]

code, name = st.sampled_from(CODES), st.sampled_from(["Atlantic", "Bergen", ""])
population = st.none() | st.integers(0, 3)
writes = st.lists(
    st.one_of(
        st.tuples(st.just("put"), code, name, population),
        st.tuples(st.just("rename one"), code, name),
        st.tuples(st.just("rename all"), name),
        st.tuples(st.just("count all"), population),
        st.tuples(st.just("delete"), code),
        st.tuples(st.just("roll back"), code),
    ),
    max_size=12,
)


def put(record: dict, fips: str, called: str, count: int | None) -> None:
    county = County(fips=fips, name=called, state="NJ", population=count)
    County.objects.bulk_create([county], update_conflicts=True, unique_fields=["fips"], update_fields=["name", "population"])
    record[fips] = (called, count)


def rename_one(record: dict, fips: str, called: str) -> None:
    County.objects.filter(fips=fips).update(name=called)
    if fips in record:
        record[fips] = (called, record[fips][1])


def rename_all(record: dict, called: str) -> None:
    County.objects.update(name=called)
    record.update({fips: (called, count) for fips, (_, count) in record.items()})


def count_all(record: dict, count: int | None) -> None:
    County.objects.update(population=count)
    record.update({fips: (called, count) for fips, (called, _) in record.items()})


def delete(record: dict, fips: str) -> None:
    County.objects.filter(fips=fips).delete()
    record.pop(fips, None)


def roll_back(record: dict, fips: str) -> None:
    with transaction.atomic():
        delete(dict(record), fips)
        transaction.set_rollback(True)


DO = {"put": put, "rename one": rename_one, "rename all": rename_all, "count all": count_all, "delete": delete, "roll back": roll_back}


def clock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


@settings(max_examples=60, deadline=None)
@given(writes)
def test_as_of_every_instant_is_what_was_written_by_then(writes):
    with transaction.atomic():
        record, noted = {}, [(clock(), {})]
        for verb, *arguments in writes:
            with acting(None, "system: test"):
                DO[verb](record, *arguments)
            noted.append((clock(), dict(record)))
        for moment, stood in noted:
            found = list(Versions.objects.as_of(moment).values_list("fips", "name", "population"))
            assert sorted(found) == sorted((fips, *facts) for fips, facts in stood.items())
        assert {fips: (called, count) for fips, called, count in County.objects.values_list("fips", "name", "population")} == record
        transaction.set_rollback(True)


def test_a_version_exists_only_where_something_changed():
    with acting(None, "system: test"):
        put({}, "34001", "Atlantic", 1)
        put({}, "34001", "Atlantic", 1)
        put({}, "34001", "Atlantic", 2)
        delete({}, "34001")
        put({}, "34001", "Atlantic", 2)
    kinds = Versions.objects.order_by("history_id").values_list("history_type", flat=True)
    assert list(kinds) == ["+", "~", "-", "+"]


def test_as_of_keeps_its_place_in_a_chain_of_filters():
    with acting(None, "system: test"):
        put({}, "34001", "Atlantic", 1)
        first = clock()
        put({}, "34001", "Bergen", 1)
    assert not Versions.objects.as_of(clock()).filter(name="Atlantic").exists()
    assert Versions.objects.as_of(first).filter(name="Atlantic").count() == 1
    assert not Versions.objects.as_of(first).filter(name="Bergen").exists()


@pytest.mark.parametrize("statement", ["INSERT INTO {} (fips) VALUES ('1')", "UPDATE {} SET fips = '1'", "DELETE FROM {}"])
def test_the_order_of_versions_is_only_read(statement):
    """By neither role: what the views stand on is the owner's, and has no policy for the owner."""
    for each in (sight.ENGINE, sight.NOTHING):
        refused = pytest.raises(ProgrammingError, match="permission denied")
        with sight.seeing(each), refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(order_of(Versions)))
