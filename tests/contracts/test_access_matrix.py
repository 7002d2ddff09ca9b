"""Everybody at every door: who may not see finds nothing or the sign-in page, who may not write changes nothing."""

import pytest
from django.contrib import admin
from django.db import transaction

from tests.contracts import matrix_admin
from tests.contracts.doors import API_PAGE, MATRIX, READS, WRITES, address, known, some, visit
from tests.contracts.matrix import EXEMPT, Route
from tests.contracts.scene import ACTORS, MACHINE_SEATS, NOBODY, OWN, who

pytestmark = pytest.mark.usefixtures("cheap")


@pytest.fixture
def count(record_property):
    """Tells the summary of the run: cells visited (an actor at a door), writes that succeeded, doors that stood open."""

    def told(actors, may, wrong, *, writes: bool = False) -> None:
        record_property("cells", len(actors))
        record_property("writes", len((set(actors) & set(may)) - set(wrong)) if writes else 0)
        record_property("leaks", len(set(wrong) - set(may)))

    return told


def is_api(route: Route) -> bool:
    return route.route.startswith("api/") and f"/{route.route}" != API_PAGE


def test_every_address_is_in_the_matrix_once():
    listed = [route.route for route in MATRIX]
    assert len(listed) == len(set(listed))
    assert sorted(set(known()) - set(listed) - set(EXEMPT) - set(_unlisted())) == []
    assert sorted(set(listed) - set(known())) == []


def _unlisted() -> list[str]:
    """Django's own shorthands: an object's address without a page, which redirects; the lists' hidden ones."""
    shorthands = [f"admin/{model._meta.app_label}/{model._meta.model_name}/<path:object_id>/" for model in admin.site._registry]
    moves = [f"{route}move/<slug:name>/" for route in shorthands]
    regexes = [route for route in known() if "password/reset/key/" in route or "confirm-email/(?P<key>" in route]
    return [*shorthands, *moves, *regexes, "admin/autocomplete/", "admin/jsi18n/", "admin/r/<path:content_type_id>/<path:object_id>/"]


def test_every_record_of_the_workplace_is_in_the_matrix():
    assert {model.__name__ for model in admin.site._registry} == set(matrix_admin.RECORDS)


def test_every_address_that_takes_writing_has_a_body():
    listed = {route.route: route for route in MATRIX}
    silent = []
    for route, pattern in known().items():
        view, actions = getattr(pattern.callback, "view_class", None), getattr(pattern.callback, "actions", None) or {}
        offered = {name for name in getattr(view, "http_method_names", ()) if hasattr(view, name)} | set(actions)
        if route in listed:
            missing = offered & {"post", "put", "patch", "delete"} - {write.method for write in listed[route].writes}
            silent += [f"{method} {route}" for method in missing]
    assert not silent


@pytest.mark.parametrize("route", READS, ids=lambda route: route.route or "start")
def test_reading(scene, route, count, whole):
    wrong = {}
    actors = some(ACTORS, route.route, route.sees, whole)
    for actor in actors:
        seen, _, touched = visit(scene, actor, "get", address(route, scene))
        right = seen == "seen" if actor in route.sees else seen in {"absent", "login"} and not touched
        if not right:
            wrong[actor] = (seen, touched, "should see" if actor in route.sees else "should not")
    count(actors, route.sees, wrong)
    assert not wrong


@pytest.mark.parametrize(("route", "write"), WRITES, ids=lambda part: getattr(part, "route", None) or part.name or "write")
def test_writing(scene, route, write, count, whole):
    wrong = {}
    actors = some(ACTORS, f"{route.route} {write.name}", write.may, whole)
    with transaction.atomic():
        for actor in actors:
            body = write.body(scene) if callable(write.body) else write.body
            seen, status, touched = visit(scene, actor, write.method, address(route, scene, write), body)
            right = (status < 400 and bool(touched)) if actor in write.may else (not touched and status < 500)
            if not right:
                wrong[actor] = (seen, touched, "may" if actor in write.may else "may not")
        transaction.set_rollback(True)
    count(actors, write.may, wrong, writes=True)
    assert not wrong


def machines_of(people) -> set[str]:
    """The machine clients in the same seats."""
    return {seat for seat in MACHINE_SEATS if seat.removeprefix("program ") in people}


@pytest.mark.parametrize("route", [route for route in READS if is_api(route)], ids=lambda route: route.route)
def test_reading_by_machines(scene, route, count, whole):
    """A machine client of each kind and role reads what people in its seat read, but for what is a person's own."""
    wrong = {}
    readers = machines_of(route.sees - (who(OWN) if route.held else NOBODY))
    actors = some(MACHINE_SEATS, route.route, readers, whole)
    for actor in actors:
        seen, _, touched = visit(scene, actor, "get", address(route, scene))
        may = actor in readers
        if seen != ("seen" if may else "absent") or (touched and not may):
            wrong[actor] = (seen, touched, "should see" if may else "should not")
    count(actors, readers, wrong)
    assert not wrong


@pytest.mark.parametrize(
    ("route", "write"),
    [(route, write) for route, write in WRITES if is_api(route)],
    ids=lambda part: getattr(part, "route", None) or "write",
)
def test_writing_by_machines(scene, route, write, count, whole):
    """And writes what they write, but for what is a person's own word."""
    wrong = {}
    writers = set() if write.people else machines_of(write.may - (who(OWN) if write.held else NOBODY))
    actors = some(MACHINE_SEATS, f"{route.route} {write.name}", writers, whole)
    for actor in actors:
        body = write.body(scene) if callable(write.body) else write.body
        seen, status, touched = visit(scene, actor, write.method, address(route, scene, write), body)
        may = actor in writers
        if not ((status < 400 and bool(touched)) if may else (not touched and status < 500)):
            wrong[actor] = (seen, touched, "may" if may else "may not")
    count(actors, writers, wrong, writes=True)
    assert not wrong


def test_every_write_succeeds_for_somebody():
    assert not [(route.route, write.name) for route, write in WRITES if not write.may and not write.name.startswith("when nobody")]
