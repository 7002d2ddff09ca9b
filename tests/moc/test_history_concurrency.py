"""Two writers at once: neither fails, the record keeps the order in which rows were written, and answers can be repeated."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from django.db import connection
from django.utils import timezone

from moc.access.models import Organization
from moc.history import acting, horizon
from tests.connections import act, connected

pytestmark = pytest.mark.django_db(transaction=True)
Versions = Organization.history.model
RENAME = "UPDATE moc_organization SET legal_name = %s WHERE slug = %s"
HELD_OPEN_S = 2.0


@pytest.fixture
def two() -> None:
    with acting(None, "system: test"):
        Organization.objects.bulk_create(Organization(kind="edc", name=slug, slug=slug) for slug in ("a", "b"))


def rename(slug: str, legal_name: str) -> None:
    with acting(None, "system: young"):
        Organization.objects.filter(slug=slug).update(legal_name=legal_name)


def stood(moment: datetime, **kwargs) -> dict[str, str]:
    return dict(Versions.objects.as_of(moment, **kwargs).values_list("slug", "legal_name"))


def test_an_older_transaction_that_writes_second(two):
    with connected() as old:
        act(old, reason="older")
        old.execute(RENAME, ["older", "b"])  # from here on it has its id
        rename("a", "young")
        between = timezone.now()
        old.execute(RENAME, ["older", "a"])
        old.commit()
    versions = list(Versions.objects.filter(slug="a").order_by("history_id"))
    assert [version.legal_name for version in versions] == ["", "young", "older"]
    assert [version.history_date for version in versions] == sorted(version.history_date for version in versions)
    assert versions[2].transaction_id < versions[1].transaction_id
    assert stood(between)["a"] == "young"
    assert stood(timezone.now()) == {"a": "older", "b": "older"} == dict(Organization.objects.values_list("slug", "legal_name"))


def test_a_writer_that_waited_is_recorded_when_it_wrote(two):
    def young():
        try:
            rename("a", "young")
        finally:
            connection.close()

    with connected() as old, ThreadPoolExecutor(1) as pool:
        act(old, reason="older")
        old.execute(RENAME, ["older", "a"])
        waiting = pool.submit(young)
        time.sleep(0.5)
        assert not waiting.done()
        before_commit = timezone.now()
        old.commit()
        waiting.result(timeout=10)
    assert [version.legal_name for version in Versions.objects.filter(slug="a").order_by("history_date")] == ["", "older", "young"]
    assert Versions.objects.get(legal_name="young").history_date > before_commit
    assert stood(before_commit)["a"] == "older"


def test_behind_the_horizon_an_answer_can_be_repeated(two):
    with connected() as slow:
        act(slow, reason="slow")
        slow.execute(RENAME, ["slow", "a"])
        own = slow.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()[0]
        rename("b", "young")
        moment, settled = timezone.now(), horizon()
        assert settled <= own  # lower only if another database of the server has an older transaction open
        first, first_without = stood(moment, horizon=settled), stood(moment)
        assert stood(moment, horizon=own) == {"a": "", "b": ""}
        time.sleep(HELD_OPEN_S)
        rename("b", "younger")
        assert stood(moment, horizon=settled) == first
        slow.commit()
    assert stood(moment, horizon=settled) == first
    assert stood(moment, horizon=own) == {"a": "", "b": ""}
    assert stood(moment) == {"a": "slow", "b": "young"} != first_without
    assert stood(timezone.now()) == {"a": "slow", "b": "younger"}


def test_as_of_names_each_object_once_however_many_write(two):
    def write(number: int) -> None:
        try:
            for turn in range(10):
                rename("ab"[turn % 2], f"{number}-{turn}")
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    moments = list(Versions.objects.values_list("history_date", flat=True))
    assert len(moments) == 2 + 3 * 10
    for moment in moments:
        slugs = list(Versions.objects.as_of(moment).values_list("slug", flat=True))
        assert sorted(slugs) == ["a", "b"]
    assert stood(timezone.now()) == dict(Organization.objects.values_list("slug", "legal_name"))
