"""The portal's base: paging by key, tables, as-of moments, queues and the shell."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from moc.access import policy
from moc.access.models import Membership
from moc.history import acting
from moc.jobs.models import Job
from moc.notices.models import Notice
from moc.portal import Column, Sort, Table, paging
from moc.portal.filters import MomentField
from moc.portal.moments import moment_of
from moc.portal.queues import Work, waiting_for
from moc.portal.timeline import timeline
from registry.ders.models import Der
from tests.factories.ders import register

NEWEST, LARGEST = Sort("-id", ("-id",)), Sort("-nameplate_ac_kw", ("-nameplate_ac_kw", "-id"))
SMALLEST = Sort("nameplate_ac_kw", ("nameplate_ac_kw", "id"))


def walk(branches, sort: Sort, size: int) -> tuple[list, list]:
    """All keys by following the pages, and all keys by walking back from the last page."""
    forth, cursor = [], ""
    while True:
        page = paging.find(Der.objects.all(), branches, sort, size, after=cursor)
        forth.append(page.keys)
        if page.following is None:
            break
        cursor = page.following
    back = [page.keys]
    while page.previous is not None:
        page = paging.find(Der.objects.all(), branches, sort, size, before=page.previous)
        back.insert(0, page.keys)
    return sum(forth, []), sum(back, [])


@pytest.mark.django_db
@pytest.mark.parametrize("sort", [NEWEST, LARGEST, SMALLEST], ids=lambda sort: sort.name)
@pytest.mark.parametrize("size", [2, 3, 50])
def test_pages_cover_the_scope_once_in_order_forth_and_back(world, sort, size):
    register(world, 5, prefix="A")
    register(world, 4, prefix="B", edc="edc2", aggregator="aggregator2")
    register(world, 3, prefix="C", aggregator="aggregator2", nameplate_ac_kw=2)
    for user in (world.user("aggregator", "viewer"), world.user("edc", "viewer"), world.all_seeing()):
        expected = list(Der.objects.visible_to(user).order_by(*sort.fields).values_list("pk", flat=True))
        forth, back = walk(policy.branches(Der, user), sort, size)
        assert forth == back == expected


@pytest.mark.django_db
def test_a_row_in_two_branches_comes_once(world):
    register(world, 3)
    both = world.user("edc", "viewer")
    with acting(None, "system: tests"):
        Membership.objects.create(user=both, organization=world.aggregator, role="viewer")
    branches = policy.branches(Der, both)
    assert len(paging.find(Der.objects.all(), branches, NEWEST, 50).keys) == 3
    assert paging.count_up_to(Der.objects.all(), branches) == 3


@pytest.mark.django_db
def test_who_reaches_nothing_asks_nothing(world, django_assert_num_queries):
    register(world, 1)
    branches = policy.branches(Der, world.nobody)
    with django_assert_num_queries(0):
        assert paging.find(Der.objects.all(), branches, NEWEST, 50) == paging.Found([], None, None)
        assert paging.count_up_to(Der.objects.all(), branches) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["nonsense", "W10", "WyJ4Il0", "WzEsIDJd", "W251bGxd", "é"])
def test_a_cursor_that_nobody_was_given_shows_the_first_page(world, cursor):
    ders = register(world, 3)
    for name in ("after", "before"):
        page = paging.find(Der.objects.all(), None, NEWEST, 2, **{name: cursor})
        assert page.keys == [ders[2].pk, ders[1].pk]


@pytest.mark.django_db
def test_counting_stops_at_the_cap(world):
    register(world, 5)
    assert paging.count_up_to(Der.objects.all(), None, cap=3) == 4


@given(st.lists(st.integers(-(2**62), 2**62) | st.decimals(allow_nan=False, allow_infinity=False, places=3), min_size=1, max_size=3))
def test_a_cursor_keeps_its_values(values):
    class Same:
        @staticmethod
        def to_python(value):
            return value

    fields = [Same] * len(values)
    cursor = paging.encode(values, fields)
    assert paging.decode(cursor, fields) == [value if isinstance(value, int) else str(value) for value in values]
    assert paging.decode(cursor, [*fields, Same]) is None and paging.decode(f"A{cursor}", fields) is None


def test_a_heading_turns_its_sort_round():
    table = Table((Column("kw", "AC", sort="kw"), Column("name", "Name")), "Rows")
    bound = table.bind([{"kw": 1, "name": "x"}], sorts=["-kw", "kw"], current="-kw", sort_url=lambda name: f"?sort={name}")
    assert [(head.sortable, head.sorted, head.sort_url) for head in bound.columns] == [(True, "desc", "?sort=kw"), (False, "", "")]
    assert bound.rows[0].cells[0][1:] == (1, None)


def test_a_status_shows_its_words():
    column = Column("status", "Status", kind="status", choices=Der.Status)
    assert column.read({"status": "active"}) == ("active", "Active")
    assert column.read({"status": ""}) == ""


def test_a_day_means_its_end_in_the_states_zone():
    assert moment_of("2024-03-10") == datetime(2024, 3, 11, tzinfo=ZoneInfo(settings.TIME_ZONE))
    assert moment_of("2024-03-10T12:00") == datetime(2024, 3, 10, 12, tzinfo=ZoneInfo(settings.TIME_ZONE))


@pytest.mark.parametrize("text", ["", "soon", "2024-13-45", "9999-12-31", "2024-02-30T00:00"])
def test_no_date_and_the_future_mean_the_present(text):
    assert moment_of(text) is None
    assert moment_of((timezone.now() + timedelta(hours=1)).isoformat()) is None


@pytest.mark.django_db
def test_home_shows_what_waits(world, client_of):
    user = world.user("edc", "reviewer")
    assert all(isinstance(work, Work) for work in waiting_for(user))
    page = client_of(user).get("/").content.decode()
    assert "You have read what others told you." in page and "Reviewer, Edc of the tests" in page


@pytest.mark.django_db
def test_a_stranger_is_asked_to_sign_in(client):
    for url in ("/", "/registry/ders/", "/state/", "/notices/", "/jobs/", "/registry/ders/export.csv"):
        response = client.get(url)
        assert response.status_code == 302 and "login" in response.url


@pytest.mark.django_db
def test_a_job_is_followed_and_stopped_by_its_user_only(world, client_of):
    user = world.user("edc", "viewer")
    job = Job.objects.create(task="none", title="Export", user=user)
    mine, other = client_of(user), client_of(world.user("edc", "reviewer"))
    assert "hx-get" in mine.get(f"/jobs/{job.uuid}/").content.decode()
    assert [other.get(f"/jobs/{job.uuid}/{page}").status_code for page in ("", "progress/")] == [404, 404]
    assert other.post(f"/jobs/{job.uuid}/cancel/").status_code == 404
    assert mine.get(f"/jobs/{job.uuid}/progress/").headers.get("HX-Refresh") is None
    mine.post(f"/jobs/{job.uuid}/cancel/")
    assert Job.objects.get().cancel_requested and "Stopping" in mine.get(f"/jobs/{job.uuid}/").content.decode()
    Job.objects.update(status=Job.Status.CANCELLED)
    assert mine.get(f"/jobs/{job.uuid}/progress/")["HX-Refresh"] == "true"
    assert [row.cells[0][1] for row in mine.get("/jobs/").context["table"].rows] == ["Export"]
    assert other.get("/jobs/").context["table"].rows == []


@pytest.mark.django_db
def test_a_notice_is_read_by_opening_it(world, client_of):
    user = world.user("edc", "viewer")
    first, second = (Notice.objects.create(user=user, event="told", subject=text, body="Read me", url="/state/") for text in "ab")
    mine, other = client_of(user), client_of(world.user("edc", "reviewer"))
    assert other.get(f"/notices/{first.uuid}/").status_code == 404
    assert "Read me" in mine.get(f"/notices/{first.uuid}/").content.decode()
    assert [row.cells[0][1] for row in mine.get("/notices/?unread=true").context["table"].rows] == ["b"]
    other.post("/notices/read/")
    assert Notice.objects.filter(read_at=None).get() == second
    mine.post("/notices/read/")
    assert not Notice.objects.filter(read_at=None).exists()


@pytest.mark.django_db
def test_a_notice_never_leads_away(world, client_of):
    notice = Notice.objects.create(user=world.nobody, event="told", subject="a", body="b", url="https://elsewhere.example.org/")
    assert client_of(world.nobody).get(f"/notices/{notice.uuid}/").context["actions"] == []


@pytest.mark.django_db
def test_a_timeline_names_what_keys_point_at_in_one_query_a_key(world, django_assert_num_queries):
    (der,) = register(world, 1)
    for edc in ("edc2", "edc", "edc2"):
        with acting(world.user("edc", "reviewer"), f"To {edc}"):
            Der.objects.filter(pk=der.pk).update(edc=world.organizations[edc])
    with django_assert_num_queries(2):
        shown = timeline(der.history.all())
    assert [version.why for version in shown] == ["To edc2", "To edc", "To edc2", "system: tests"]
    assert shown[0].changes == [("Utility", world.edc, world.edc2)]
    assert (shown[-1].kind, shown[-1].who, shown[-1].changes) == ("created", "the system", [])
    assert [version.why for version in timeline(der.history.all(), limit=1)] == ["To edc2"]
    assert len(timeline(der.history.all(), limit=1)[0].changes) == 1


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-13-01T00:00:00Z"])
def test_a_filter_refuses_a_moment_that_no_database_knows(text):
    with pytest.raises(ValidationError):
        MomentField().clean(text)


@pytest.mark.django_db
def test_a_list_says_that_nothing_is_there_only_of_all_that_there_is(world, client_of):
    """A filter that cannot be read, or that narrows, and a past moment are named: none of them makes "Nothing was done" true (O5)."""
    client, url = client_of(world.user("edc", "viewer")), "/operations/outages/log/"
    said = {query: client.get(f"{url}{query}") for query in ("", "?since=banana", "?act=outage_told", "?since=banana&act=banana")}
    assert said[""].context["table"].empty_title == "Nothing was done"
    for query in ("?since=banana", "?act=outage_told", "?since=banana&act=banana"):
        assert "Nothing was done" not in said[query].content.decode()
    wrong = said["?since=banana"].content.decode()
    assert "a filter cannot be read" in wrong and "From: Give a day as 2026-11-22." in wrong and "0 acts" not in wrong
    both = said["?since=banana&act=banana"].context["table"].empty_text
    assert "From: Give a day" in both and "Act: “banana” is not among the choices." in both
    assert said["?act=outage_told"].context["table"].empty_title == "No rows match the filters"


@pytest.mark.django_db
def test_a_page_says_that_a_moment_is_none(world, client_of):
    """Of a moment that cannot be read, or is to come, the page says so and what it shows; a file of it is not made (N4)."""
    register(world, 1)
    client, url = client_of(world.user("edc", "administrator")), "/registry/ders/"
    for asked, sentence in (("banana", "“banana” is no day."), ("2999-01-01", "2999-01-01 is yet to come.")):
        shown = client.get(url, {"as_of": asked}).content.decode()
        assert f"As of: {sentence} Give a day that is over" in shown and "What you see stands now." in shown and "D-1" in shown
        assert client.get(f"{url}export.csv", {"as_of": asked}).status_code == 404
    assert "usa-alert--error" not in client.get(url, {"as_of": f"{timezone.localdate()}"}).content.decode()
    before = client.get("/operations/networks/", {"as_of": "1800-01-01"}).content.decode()
    assert "No network was loaded" not in before and "Nothing of this list was on record then" in before
