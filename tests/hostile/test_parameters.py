"""Every filter, order and cursor of every list with what no form would send: refused or ignored, never an error, never a foreign row."""

import json
from collections.abc import Sequence
from urllib.parse import quote_from_bytes

import pytest
from django.db import transaction

from moc.portal import List
from moc.rest.pages import CONTROLS, parameters_of
from moc.rest.resources import Resource
from tests.contracts.doors import READS, address, client_of, known
from tests.contracts.scene import Scene
from tests.hostile.planting import MARK
from tests.sharing import part_of

pytestmark = pytest.mark.usefixtures("cheap")
REFUSALS = {200, 302, 400, 404}
STRANGER = "edc2:administrator"
PAYLOADS = (
    b"\x00",
    b"\xed\xa0\x80\xff",  # a lone surrogate, and a byte that is never UTF-8
    b"9" * 400,
    b"000001" + b"9" * 20,
    b"-9223372036854775809",
    b"1e999999",
    b"NaN",
    b"Infinity",
    b"' OR 1=1; --",
    b"%' ESCAPE '",
    b"..\\..//etc/passwd",
    "٣".encode(),  # a digit that is none of ASCII's
    b"[" * 5000,
    b"99999-99-99T99:99:99+99:99",
    b"9999-12-31T23:59:59-23:59",
    b"0001-01-01T00:00:00+23:59",
)
RELATED = (  # lookups through relations that a filter by field name would follow
    "aggregator__memberships__user__password__startswith",
    "edc__name__regex",
    "owner__owner_name__icontains",
    "history__history_user__email",
    "id__in",
    "pk",
    "o",
    "ordering",
    "sort",
    "_to_field",
    "e",
    "all",
)


def view_of(route):
    callback = known()[route.route].callback
    return getattr(callback, "view_class", None) or getattr(callback, "cls", None)


def _is_list(route) -> bool:
    view = view_of(route)
    api = route.route.startswith("api/") and isinstance(view, type) and issubclass(view, Resource)
    page = isinstance(view, type) and (issubclass(view, List) or hasattr(view, "list_view"))
    return api or page or route.route.startswith("admin/") and route.route.count("/") == 3


LISTS = [route for route in READS if _is_list(route) and route.sees - {"machine"}]


def parameters(route, scene: Scene) -> dict[str, str]:
    """The parameters that the list reads, each with what reads it there."""
    view, callback = view_of(route), known()[route.route].callback
    view = callback.view_initkwargs.get("list_view", view) if hasattr(callback, "view_initkwargs") else view
    filterset = getattr(view, "filterset_class", None)
    if isinstance(filterset, property):
        filterset = view.for_user(scene.user("edc:administrator"), "", **route.at(scene)).filterset_class
    filters = getattr(filterset, "base_filters", {})
    readers = {name: f"{type(filters[name]).__name__} {filters[name].lookup_expr}" for name in filters}
    names = ["as_of", "rule", "row", "q", *CONTROLS, *(parameters_of(filterset) if filterset else ())]
    return {name: readers.get(name, name) for name in names}


@pytest.fixture(scope="module")
def tried() -> set[tuple[str, str]]:
    """(kind of list, reader of a parameter) that a test has asked."""
    return set()


def ask(scene: Scene, actor: str, route, names: Sequence[str], value: bytes):
    url = address(route, scene)
    client = client_of(scene, actor, url)
    client.raise_request_exception = False
    with transaction.atomic():
        response = client.get(url + "?" + "&".join(f"{name}={quote_from_bytes(value)}" for name in names))
        response.body = b"".join(response.streaming_content) if response.streaming else response.content
        transaction.set_rollback(True)
    return response


def test_there_are_lists_of_every_kind():
    kinds = {route.route.partition("/")[0] for route in LISTS}
    assert {"registry", "api", "admin", "jobs", "notices"} <= kinds and len(LISTS) > 40


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.route)
def test_no_value_breaks_a_list(planted, tried, route, whole):
    """All parameters at once; and one by one those that no list of the kind reads so (each filter, control and lookup once).

    An ordinary run sends every eighth value to all at once, and one value to each alone: another one in each place.
    """
    reader = "edc:administrator" if "edc:administrator" in route.sees else sorted(route.sees - {"machine"})[0]
    kind, broken = route.route.partition("/")[0], []
    reads = parameters(route, planted)
    fresh = [name for name, how in reads.items() if (kind, how) not in tried]
    tried.update((kind, how) for how in reads.values())
    for names in [list(reads), *([name] for name in fresh)]:
        for value in PAYLOADS if whole else part_of(PAYLOADS, f"{route.route} {names}", 8 if len(names) > 1 else len(PAYLOADS)):
            answer = ask(planted, reader, route, names, value)
            if answer.status_code not in REFUSALS:
                broken.append((names, value[:40], answer.status_code))
    assert broken == []


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.route)
def test_no_lookup_reaches_a_foreign_row(planted, route):
    answer = ask(planted, STRANGER, route, RELATED, b"=")
    assert answer.status_code in REFUSALS
    assert MARK.encode() not in answer.body


@pytest.mark.parametrize("route", [route for route in LISTS if route.route.startswith("api/")], ids=lambda route: route.route)
def test_a_list_of_the_api_refuses_what_it_does_not_know(planted, route):
    answer = ask(planted, "operator:administrator", route, ["edc__name__startswith"], b"E")
    known = ask(planted, "operator:administrator", route, ["page_size"], b"1")
    said = json.loads(known.body) if known.headers["Content-Type"] == "application/json" else None
    is_page = isinstance(said, dict) and {"results", "next"} <= said.keys()
    assert answer.status_code == (400 if is_page else known.status_code)
