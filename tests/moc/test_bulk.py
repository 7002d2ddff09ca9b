"""COPY in and out, statements of a slice, INSERT … SELECT of querysets: exact, streamed, with Django's errors."""

import csv
import io
from inspect import isgenerator

import pytest
from django.db import DataError, IntegrityError
from django.db.models import Value
from django.db.models.functions import Concat, Right
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from moc.bulk import copy_in, copy_out, fetch_sql, insert_select, run_sql
from moc.history import acting
from registry.grid.models import County

pytestmark = pytest.mark.django_db
TABLE, COLUMNS = "registry_county", ("fips", "name", "state")
AWKWARD = ["it's", 'a "quoted" name', "100% %s %(x)s {brace}", "back\\slash \\N", "two\nlines, one comma", "ключ 🔑", "; DROP TABLE x; --"]


@pytest.fixture(autouse=True)
def _acting(db):
    with acting(None, "system: test"):
        yield


def named(*names: str) -> None:
    County.objects.bulk_create(County(fips=f"{number:05}", name=name, state="NJ") for number, name in enumerate(names))


def encoded(*rows: tuple) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def test_blocks_may_end_anywhere():
    whole = encoded(*((f"{number:05}", name, "NJ") for number, name in enumerate(AWKWARD)))
    blocks = (whole[start : start + 7] for start in range(0, len(whole), 7))
    assert copy_in(TABLE, COLUMNS, blocks) == len(AWKWARD)
    assert list(County.objects.order_by("fips").values_list("name", flat=True)) == AWKWARD
    assert County.history.count() == len(AWKWARD)


def test_no_block_is_no_row():
    assert copy_in(TABLE, COLUMNS, []) == 0


@pytest.mark.parametrize(
    ("block", "error"),
    [(b"1,2\n", DataError), (b"00001,a,NJ\n00001,b,NJ\n", IntegrityError), (b"00001,\x00,NJ\n", DataError), (b"123456,a,NJ\n", DataError)],
)
def test_what_postgresql_refuses_is_an_error_of_django_and_leaves_nothing(block, error):
    with pytest.raises(error), acting(None, "system: test"):
        copy_in(TABLE, COLUMNS, [block])
    assert not County.objects.exists()


def test_a_reader_that_fails_leaves_nothing():
    def blocks():
        yield b"00001,a,NJ\n"
        raise ValueError("truncated")

    with pytest.raises(ValueError, match="truncated"), acting(None, "system: test"):
        copy_in(TABLE, COLUMNS, blocks())
    assert not County.objects.exists()


def test_rows_come_out_as_they_went_in():
    named(*AWKWARD)
    streamed = copy_out(County.objects.order_by("fips").values_list("fips", "name"))
    assert isgenerator(streamed)
    rows = list(csv.reader(io.StringIO(b"".join(streamed).decode(), newline="")))
    assert rows == [[f"{number:05}", name] for number, name in enumerate(AWKWARD)]


@pytest.mark.parametrize("name", AWKWARD)
def test_values_of_filters_are_data(name):
    named(*AWKWARD)
    assert b"".join(copy_out(County.objects.filter(name=name).values_list("name"))) == encoded((name,)).replace(b"\r\n", b"\n")


@pytest.mark.parametrize("nobody", [lambda rows: rows.none(), lambda rows: rows.filter(fips__in=[])])
def test_nobodys_rows_are_an_empty_file(nobody):
    named("a")
    assert list(copy_out(nobody(County.objects.all()).values_list("fips"))) == []
    assert insert_select(TABLE, ("fips",), [nobody(County.objects.all()).values_list("fips")]) == 0


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20))
def test_any_text_is_found_again(text):
    County.objects.all().delete()
    named(text)
    (row,) = csv.reader(io.StringIO(b"".join(copy_out(County.objects.filter(name=text).values_list("fips", "name"))).decode(), newline=""))
    assert row == ["00000", text]


def test_a_statement_of_the_calling_files_folder():
    named("old", "older", "kept 100%")
    table = sql.Identifier(TABLE)
    assert run_sql("rename", {"name": "it's new", "state": "NJ"}, table=table) == 2
    assert sorted(fetch_sql("rename", {"name": "newer", "state": "NJ"}, table=table)) == [("00000",), ("00001",)]
    assert run_sql("rename", {"name": "x", "state": "NY"}, table=table) == 0
    assert set(County.objects.values_list("name", flat=True)) == {"newer", "kept 100%"}


def test_a_statement_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match="no_such"):
        run_sql("no_such")


def test_insert_select_of_several_querysets():
    named("a", "b")

    moved = County.objects.annotate(key=Concat(Value("9"), Right("fips", 4)), place=Value("NY"))
    queries = [moved.filter(name=name).values_list("key", "name", "place") for name in ("a", "b", "none")]
    assert insert_select(TABLE, COLUMNS, queries) == 2
    assert sorted(County.objects.filter(state="NY").values_list("fips", "name")) == [("90000", "a"), ("90001", "b")]


def test_insert_select_sees_only_the_narrowed_rows():

    named("a", "b", "c")
    copies = County.objects.annotate(key=Concat(Value("9"), Right("fips", 4))).values_list("key", "name", "state")
    assert insert_select(TABLE, COLUMNS, [copies], narrowed=County.objects.exclude(name="b")) == 2
    assert sorted(County.objects.filter(fips__startswith="9").values_list("name", flat=True)) == ["a", "c"]
