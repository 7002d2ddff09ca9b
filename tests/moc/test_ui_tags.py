"""The interface's tags: one way to write a quantity, a moment, a status and a filter."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import django_filters
import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.range import Range

from moc.access.models import User
from moc.templatetags import moc_ui


@pytest.fixture(autouse=True)
def new_jersey_time():
    with timezone.override("America/New_York"):
        yield


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1234.500"), "1,234.5"),
        (Decimal("7.000"), "7"),
        (1000000, "1,000,000"),
        (Decimal("-0.0001"), "0"),
        (-5, "−5"),
        (None, ""),
        (0, "0"),
    ],
)
def test_numbers(value, text):
    assert moc_ui.number(value) == text


@given(st.decimals(min_value=0, max_value=10**9, places=3))
def test_a_number_loses_nothing_to_its_format(value):
    assert Decimal(moc_ui.number(value).replace(",", "")) == value


def test_quantities_keep_their_unit_on_the_line():
    assert moc_ui.quantity(Decimal("7.6"), "kW") == "7.6\u00a0kW"
    assert moc_ui.quantity(0, "kWh") == "0\u00a0kWh"
    assert moc_ui.quantity(None, "kW") == "–"


@pytest.mark.parametrize(
    ("value", "text"), [(999, "999\u00a0kW"), (1000, "1.0\u00a0MW"), (-2500, "−2.5\u00a0MW"), (None, "–"), (0, "0\u00a0kW")]
)
def test_megawatts_from_kilowatts(value, text):
    assert moc_ui.megawatts(value) == text


def test_a_moment_is_shown_in_the_states_zone_and_kept_in_utc():
    html = moc_ui.local_time(datetime(2026, 11, 1, 6, 30, tzinfo=UTC))
    assert html == '<time datetime="2026-11-01T06:30:00+00:00">2026-11-01\u00a001:30\u00a0EST</time>'
    assert "01:30\u00a0EDT" in moc_ui.local_time(datetime(2026, 11, 1, 5, 30, tzinfo=UTC))


def test_a_status_tells_its_tone_by_words_and_mark():
    assert moc_ui.status_tag("denied", "Denied") == '<span class="usa-tag moc-status moc-status--bad">Denied</span>'
    assert ">Info requested<" in moc_ui.status_tag("info_requested")
    assert moc_ui.status_tone("never heard of") == "plain"
    assert "&lt;script&gt;" in moc_ui.status_tag("x", "<script>")


def test_no_status_has_two_tones():
    statuses = [status for words in moc_ui.TONES.values() for status in words.split()]
    assert len(statuses) == len(set(statuses))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "Yes"),
        (False, "No"),
        (None, "–"),
        ("", "–"),
        ([], "–"),
        (0, "0"),
        (["a", "b"], "a, b"),
        ({"max_w": True, "limit": Decimal("5.50")}, "max_w: Yes; limit: 5.5"),
        (gettext_lazy("Storage"), "Storage"),
        (date(2018, 3, 9), '<time datetime="2018-03-09">2018-03-09</time>'),
    ],
)
def test_any_value_is_displayed(value, text):
    assert moc_ui.display(value) == text


def test_a_period_is_displayed_in_words():
    shown = moc_ui.display(Range(date(2018, 1, 1), None, "[)"))
    assert shown == 'from <time datetime="2018-01-01">2018-01-01</time>'
    assert moc_ui.display(Range(None, None)) == "always"
    assert " until " in moc_ui.display(Range(date(2018, 1, 1), date(2019, 1, 1)))


@pytest.mark.parametrize(
    ("days", "words", "tone"),
    [
        (-2, "2 days overdue", "bad"),
        (-1, "1 day overdue", "bad"),
        (0, "due today", "heed"),
        (5, "5 days left", "heed"),
        (6, "6 days left", ""),
    ],
)
def test_deadlines_grow_urgent(days, words, tone):
    html = moc_ui.days_left(timezone.localdate() + timedelta(days=days))
    assert words in html
    assert f"moc-status--{tone}" in html if tone else "moc-status" not in html


def test_a_cell_escapes_its_value_and_heads_its_row():
    column = SimpleNamespace(kind="", numeric=True)
    assert moc_ui.cell(column, "<b>", None, "/d/1/", True) == '<th scope="row" class="moc-num"><a href="/d/1/">&lt;b&gt;</a></th>'
    assert moc_ui.cell(SimpleNamespace(kind="code", numeric=False), 15477) == "<td>15477</td>"
    labelled = moc_ui.cell(SimpleNamespace(label="A & B", numeric=True), 1, labelled=True)
    assert labelled == '<td class="moc-num" data-label="A &amp; B">1</td>'
    assert "moc-status--good" in moc_ui.cell(SimpleNamespace(kind="status", numeric=False), ("active", "Active"))
    assert moc_ui.cell(SimpleNamespace(kind="status", numeric=False), None) == "<td>–</td>"


class Filters(django_filters.FilterSet):
    status = django_filters.MultipleChoiceFilter(label="Status", choices=[("active", "Active"), ("retired", "Retired")])
    utility = django_filters.ChoiceFilter(label="Utility", choices=[("Investor-owned", [("9726", "JCP&L")])])
    power = django_filters.RangeFilter(label="Nameplate (kW)")


def chips(query: str) -> list[dict]:
    request = RequestFactory().get(f"/registry/ders/?{query}")
    return moc_ui.active_filters({"request": request}, Filters(request.GET, queryset=User.objects.none()))


def test_each_filter_in_force_is_a_chip_that_removes_only_itself():
    found = chips("status=active&status=retired&utility=9726&power_min=5&after=abc&sort=-power&unknown=1&power_max=")
    assert [(chip["label"], chip["text"]) for chip in found] == [
        ("Status", "Active"),
        ("Status", "Retired"),
        ("Utility", "JCP&L"),
        ("Nameplate (kW)", "from 5"),
    ]
    assert found[0]["url"] == "?status=retired&utility=9726&power_min=5&sort=-power&unknown=1&power_max="
    assert "after=" not in found[3]["url"]


def test_no_filter_no_chip():
    assert chips("") == []
    assert moc_ui.active_filters({}, None) == []


def test_an_address_can_gain_and_lose_a_parameter():
    request = RequestFactory().get("/?status=active&as_of=2026-05-01&page=3")
    assert moc_ui.query_with({"request": request}, as_of=None) == "?status=active"
    assert moc_ui.query_with({"request": request}, sort="-kw") == "?status=active&as_of=2026-05-01&sort=-kw"


class OneField(forms.Form):
    power = forms.DecimalField(label="Nameplate (kW)", help_text="AC, at unity power factor.", min_value=0)
    attest = forms.BooleanField(label="It is true")
    day = forms.DateField(label="Commissioned", required=False)
    kind = forms.ChoiceField(label="Kind", choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)


def test_a_field_names_its_hint_and_its_error():
    html = str(OneField({"power": "-1", "kind": "a", "attest": "on"}))
    assert 'aria-describedby="id_power_helptext id_power_error"' in html
    assert 'aria-invalid="true"' in html
    assert '<span class="usa-error-message" id="id_power_error">' in html
    assert '<a href="#id_power">Nameplate (kW): ' in html
    assert html.count("usa-form-group--error") == 1


def test_every_widget_is_drawn_with_its_label():
    html = str(OneField())
    assert '<label class="usa-label" for="id_power">' in html
    assert '<label class="usa-checkbox__label" for="id_attest">' in html
    assert '<label class="usa-radio__label" for="id_kind_1">' in html
    assert 'type="date"' in html
    assert html.count('title="required"') == 4  # three fields and the note above them
    assert "style=" not in html


def test_facts_are_a_definition_list():
    html = Template("{% load moc_ui %}{% facts groups %}").render(
        Context({"groups": [("Ratings", [("Nameplate", Decimal("7.6"), "kW", "AC")])]})
    )
    assert "<dt>Nameplate" in html
    assert "<dd>7.6\u00a0kW</dd>" in html
