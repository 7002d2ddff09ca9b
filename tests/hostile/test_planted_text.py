"""Markup, formulas and marks planted in every text column: no page makes an element of one, no export a formula, no stranger reads one.

Stored cross-site scripting, CSV injection and leaks between organisations (N2, N3).
"""

import csv
import io
import re
import zipfile
from html.parser import HTMLParser

import pytest
from django.http import HttpResponse

from moc.exports import NUMBER, RISKY
from moc.notices.services import deliver
from tests.contracts.doors import READS, address, client_of
from tests.contracts.scene import OWN, SECOND, Scene
from tests.hostile.planting import MARK
from tests.sharing import part_of

pytestmark = pytest.mark.usefixtures("cheap")
READERS = ("operator:administrator", "aggregator:administrator", "edc:administrator", OWN)
STRANGERS = (*(actor for actor in SECOND if not actor.startswith("operator")), "machine2", "nobody", "stranger")
TOO_SHORT = {"County.state", "AggregatorRegistration.formed_in", "InterconnectionStudy.phases"}  # no room for an element
PAGES = [route for route in READS if not route.route.startswith("api/")]
EXPORTS = [route for route in READS if route.route.endswith((".csv", ".xlsx"))]


class Live(HTMLParser):
    """Finds what a browser would run of a planted text: an element, an attribute, an address."""

    def __init__(self):
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs) -> None:
        given = dict(attrs)
        runs = [name for name in given if name.startswith("on")]
        leads = [name for name in ("href", "src", "action") if (given.get(name) or "").strip().lower().startswith("javascript:")]
        if tag == "x1" or runs or leads:
            self.found.append(f"<{tag} {given}>")


def live(html: str) -> list[str]:
    parser = Live()
    parser.feed(html)
    return parser.found


@pytest.fixture(autouse=True)
def _printed_as_html(monkeypatch, cheap):
    """Paper is looked at as the HTML that it is printed from."""
    for module in ("moc.pdf", "moc.documents.letters"):
        monkeypatch.setattr(f"{module}.to_pdf", lambda html, given=None: html.encode())
        monkeypatch.setattr(f"{module}.pdf_response", lambda content, name: HttpResponse(content))


def read(scene: Scene, actor: str, route) -> HttpResponse:
    url = address(route, scene)
    client = client_of(scene, actor, url)
    response = client.get(url)
    if response.streaming:
        response.body = b"".join(response.streaming_content)
    else:
        response.body = response.content
    return response


def test_the_detector_detects():
    assert live("<p><img src=x onerror=hit()></p>") and live("<x1>") and live('<a href="javascript:hit()">')
    assert not live("<p>&lt;img src=x onerror=hit()&gt;</p><a href='/x/'>&lt;x1&gt;</a>")


def test_every_text_can_be_planted(planted):
    assert planted.refused == TOO_SHORT


@pytest.mark.parametrize("route", PAGES, ids=lambda route: route.route or "start")
def test_no_page_makes_an_element_of_a_text(planted, route, whole):
    """As everybody who may read it; in an ordinary run as one of them, another at each page."""
    readers = [actor for actor in READERS if actor in route.sees]
    for actor in readers if whole else part_of(readers, route.route, len(readers)):
        response = read(planted, actor, route)
        assert response.status_code < 500
        if response["Content-Type"].startswith("text/html"):
            assert live(response.body.decode()) == []


@pytest.mark.parametrize("route", READS, ids=lambda route: route.route or "start")
def test_no_stranger_reads_a_text_of_another(planted, route, whole):
    owners = ("registry/owners/", "api/v1/registry/own/")
    own = {"nobody"} if route.route.startswith(owners) else set()  # the owner of the scene's DER reads of that
    strangers = [actor for actor in STRANGERS if actor in route.sees - own]  # the access matrix refuses the others
    for actor in strangers if whole else part_of(strangers, route.route, len(strangers)):
        body = read(planted, actor, route).body
        assert MARK.encode() not in body, f"{actor} reads a text of another organisation"


@pytest.mark.parametrize("route", EXPORTS, ids=lambda route: route.route)
def test_no_export_holds_a_formula(planted, route):
    actor = next(actor for actor in READERS if actor in route.sees)
    response = read(planted, actor, route)
    if route.route.endswith(".csv"):
        cells = [cell for row in csv.reader(io.StringIO(response.body.decode("utf-8-sig"))) for cell in row]
        assert cells and [cell for cell in cells if cell[:1] in tuple(RISKY) and not re.match(NUMBER, cell)] == []
    else:
        parts = zipfile.ZipFile(io.BytesIO(response.body))
        sheets = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/")]
        assert sheets and not any(re.search(rb"<f[ >/]", sheet) for sheet in sheets)


def test_mail_is_plain_text(planted, mailoutbox):
    deliver()
    assert mailoutbox
    for message in mailoutbox:
        assert message.content_subtype == "plain" and not getattr(message, "alternatives", None)
        assert "\n" not in message.subject
