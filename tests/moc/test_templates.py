"""The templates keep the content security policy and the promises that views rely on."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import RequestFactory

PAGES = sorted((Path(settings.BASE_DIR) / "templates").rglob("*.html"))
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*="),
    "a style element": re.compile(r"<style\b"),
    "an inline script": re.compile(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))[^>]*>"),  # what is JSON is not run
    "an event attribute": re.compile(r"\s(on[a-z]+|hx-on[a-z:-]*)\s*="),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_needs_what_the_security_policy_refuses(what):
    # letters and e-mails are drawn on the server, where no browser enforces a policy
    pages = [page for page in PAGES if not {"documents", "emails"} & set(page.parts)]
    assert [page.name for page in pages if FORBIDDEN[what].search(page.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("code", [400, 403, 404, 429, 500])
def test_the_error_pages_need_no_context(code):
    html = render_to_string(f"{code}.html")
    assert str(code) in html
    assert '<main id="main"' in html


def table(**extra):
    columns = [
        SimpleNamespace(name="id", label="DER", sortable=True, sort_url="?sort=-id", sorted="asc", numeric=False, kind=""),
        SimpleNamespace(name="kw", label="Nameplate (kW)", sortable=False, sort_url="", sorted=None, numeric=True, kind=""),
    ]
    row = SimpleNamespace(url="/d/7/", cells=[(columns[0], "<SUN>", None), (columns[1], 1234.5, None)], selected_value=7)
    return SimpleNamespace(columns=columns, rows=[row], selectable=False, caption="DERs", **extra)


def rendered(name: str, **context) -> str:
    return render_to_string(f"includes/{name}.html", context, request=RequestFactory().get("/?status=active"))


def test_a_table_scrolls_in_a_region_that_the_keyboard_reaches():
    html = rendered("table", table=table())
    assert 'role="region" aria-label="DERs" tabindex="0"' in html
    assert 'aria-sort="ascending"' in html
    assert '<th scope="row"><a href="/d/7/">&lt;SUN&gt;</a></th>' in html
    assert '<td class="moc-num">1,234.5</td>' in html


def test_a_selection_names_its_rows_and_keeps_the_filter():
    chosen = table(form_id="decide", total_text="104,368")
    chosen.selectable = True
    html = rendered("table", table=chosen)
    assert 'name="selected" value="7" aria-label="Select &lt;SUN&gt;" form="decide"' in html
    assert 'name="all_in_filter"' in html
    assert 'name="filter" value="status=active" form="decide"' in html


def test_a_dangerous_move_asks_first_and_a_reason_is_required():
    moves = [
        SimpleNamespace(name="approve", label="Approve", url="/a/", needs_reason=False, danger=False),
        SimpleNamespace(name="deny", label="Deny", url="/b/", needs_reason=True, danger=True),
    ]
    html = rendered("transitions", transitions=moves)
    assert html.count('method="post"') == html.count("csrfmiddlewaretoken") == 2
    assert html.count("<details") == 1
    assert 'name="reason"' in html


@pytest.mark.parametrize("running", [True, False])
def test_progress_asks_again_only_while_it_runs(running):
    progress = SimpleNamespace(
        running=running, url="/p/", label="file.csv", status="running", status_label="Checking", percent=43, done=4, total=9
    )
    assert ('hx-get="/p/"' in rendered("progress", progress=progress)) is running
