"""Every list, page and export of recorded records can be asked as recorded at a moment, and what holds during days as valid on one (N4)."""

from urllib.parse import urlencode

import pytest
from django.utils import timezone

from moc.history import keeps_versions
from moc.portal.moments import has_valid_time
from moc.portal.views import Detail, List
from moc.rest.resources import Resource
from tests.contracts.doors import READS, address, known
from tests.contracts.matrix import Route
from tests.contracts.scene import ACTORS, MACHINE_SEATS

pytestmark = pytest.mark.usefixtures("cheap")
NOT_PEOPLE = {*MACHINE_SEATS, "machine", "machine2"}


def view_of(route: Route):
    return getattr(known()[route.route].callback, "view_class", None)


def doors(kind: type) -> list[Route]:
    """The doors of pages of a kind that somebody may open."""
    return [route for route in READS if set(route.sees) - NOT_PEOPLE and issubclass(view_of(route) or object, kind)]


LISTS, PAGES = doors(List), doors(Detail)


def reader(route: Route) -> str:
    """One who may see: an auditor or administrator where there is one."""
    people = [actor for actor in ACTORS if actor in route.sees and actor not in NOT_PEOPLE]
    return min(people, key=lambda actor: (not actor.startswith("rerra:"), not actor.endswith(":administrator")))


def asked(scene, route: Route, **query):
    path = address(route, scene)
    return scene.clients[reader(route)].get(f"{path}{'&' if '?' in path else '?'}{urlencode(query)}")


def listed(response) -> list:
    return [row.url or [str(value) for _, value, _ in row.cells] for row in response.context["table"].rows]


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.route)
def test_a_list_shows_what_stood_then(scene, route, whole):
    """As of now what stands now, under every filter (in a whole run by two of its choices); as of a day before everything nothing."""
    page = asked(scene, route)
    view = page.context["view"]
    if not view.is_dated:
        assert not keeps_versions(view.model) or not view.keeps_versions
        then = asked(scene, route, as_of="2001-01-01")
        assert then.status_code == 404 or (listed(then) == [] and "keeps no versions" in then.content.decode()), "it shows today, unasked"
        return
    now = timezone.now().isoformat()
    assert sorted(map(str, listed(asked(scene, route, as_of=now)))) == sorted(map(str, listed(page)))
    assert listed(asked(scene, route, as_of="2001-01-01")) == []
    for name, each in (view.filterset.form.fields if view.filterset else {}).items():
        for value, _ in list(getattr(each, "choices", ()))[1 : 3 if whole else 2] or [("2026-01-01", "")]:
            assert asked(scene, route, as_of=now, **{name: value}).status_code == 200, (name, value)


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.route)
def test_what_holds_during_days_is_listed_by_day(scene, route):
    view = asked(scene, route).context["view"]
    if has_valid_time(view.model):
        assert "valid_during" in {each.field_name for each in view.filterset.filters.values()}
        assert listed(asked(scene, route, on="1901-01-01")) == []


@pytest.mark.parametrize("route", PAGES, ids=lambda route: route.route)
def test_a_page_shows_what_stood_then(scene, route):
    """As of now it is there, without a move; as of a day before everything it is not."""
    page = asked(scene, route)
    view = page.context and page.context.get("view")
    if view is None or not hasattr(view.model, "history") or not view.is_dated:
        return
    then = asked(scene, route, as_of=timezone.now().isoformat())
    assert then.status_code == 200 and then.context["as_of"] and not then.context["transitions"]
    assert asked(scene, route, as_of="2001-01-01").status_code == 404


RESOURCES = [
    route
    for route in READS
    if issubclass(getattr(known()[route.route].callback, "cls", object), Resource)
    and known()[route.route].callback.actions.get("get") == "list"
    and set(route.sees) - NOT_PEOPLE
]


@pytest.mark.parametrize("route", RESOURCES, ids=lambda route: route.route)
def test_a_list_of_the_api_holds_what_stood_then(scene, route):
    """As of now what stands now; as of a day before everything nothing; what keeps no versions says that it cannot be asked."""
    client, path = scene.api[reader(route)], address(route, scene)
    keeps = known()[route.route].callback.cls.keeps_versions
    dated = keeps_versions(known()[route.route].callback.cls.model) if keeps is None else keeps
    then = client.get(path, {"as_of": "2001-01-01"})
    if not dated:
        assert then.status_code == 400
        return
    assert then.status_code == 200 and then.json()["results"] == []
    now, present = client.get(path, {"as_of": timezone.now().isoformat()}), client.get(path)
    assert sorted(map(str, now.json()["results"])) == sorted(map(str, present.json()["results"]))


RECORDS = [
    route
    for route in READS
    if issubclass(getattr(known()[route.route].callback, "cls", object), Resource)
    and known()[route.route].callback.actions.get("get") == "retrieve"
    and set(route.sees) - NOT_PEOPLE
]


def test_a_record_of_the_api_is_what_stood_then(scene):
    """As of now as it stands, but for what keeps no versions; as of a day before everything nothing; or the moment is refused."""
    wrong, dated = {}, 0
    for route in RECORDS:
        client, path = scene.api[reader(route)], address(route, scene)
        before, then = client.get(path, {"as_of": "2001-01-01"}), client.get(path, {"as_of": timezone.now().isoformat()})
        dated += then.status_code == 200
        present = client.get(path).json() if then.status_code == 200 else {}
        same = then.status_code == 400 or all(present[name] == value for name, value in then.json().items() if value is not None)
        if (then.status_code, before.status_code) not in {(200, 404), (400, 400)} or not same:
            wrong[route.route] = (then.status_code, before.status_code, same)
    assert dated > 60 and not wrong
