"""The law's numbers: one value a day, the authority's own before the default, never guessed, never without a source."""

from datetime import date

import pytest
from django.db import IntegrityError
from django.db.backends.postgresql.psycopg_any import DateRange

from moc.history import acting
from moc.rulesets import services
from moc.rulesets.defaults import ROWS
from moc.rulesets.models import RuleSet

pytestmark = pytest.mark.django_db
KEY, DAY = "a-number", date(2026, 6, 1)


@pytest.fixture(autouse=True)
def _acting(db):
    with acting(None, "system: test"):
        yield


def row(value, *, authority: str = "", starts: date | None = date(2020, 1, 1), ends: date | None = None) -> RuleSet:
    return RuleSet.objects.create(key=KEY, authority=authority, value=value, valid_during=DateRange(starts, ends), source="a tariff")


def test_the_authoritys_own_value_goes_before_the_default():
    row(60)
    row(45, authority="pjm")
    assert RuleSet.objects.value_of(KEY, DAY, "pjm") == 45
    assert RuleSet.objects.value_of(KEY, DAY, "nyiso", "pjm") == 45
    assert RuleSet.objects.value_of(KEY, DAY, "nyiso") == RuleSet.objects.value_of(KEY, DAY) == 60


def test_authorities_are_asked_in_the_order_given():
    row(1, authority="njbpu")
    row(2, authority="pjm")
    assert [RuleSet.objects.value_of(KEY, DAY, *order) for order in (("njbpu", "pjm"), ("pjm", "njbpu"))] == [1, 2]


def test_a_value_holds_from_its_first_day_until_the_day_before_its_end():
    row("old", ends=DAY)
    row("new", starts=DAY)
    days = [date(2026, 5, 31), DAY, date(2036, 1, 1)]
    assert [RuleSet.objects.value_of(KEY, day) for day in days] == ["old", "new", "new"]


@pytest.mark.parametrize("value", [60, 0, 0.5, True, False, "escalate", {"a": [1]}])
def test_values_keep_their_type(value):
    row(value)
    found = RuleSet.objects.value_of(KEY, DAY)
    assert found == value and type(found) is type(value)


def test_a_missing_number_is_never_guessed():
    row(60, starts=date(2027, 1, 1))
    with pytest.raises(LookupError, match=f"{KEY} on 2026-06-01 .*pjm"):
        RuleSet.objects.value_of(KEY, DAY, "pjm")


def test_two_values_on_one_day_are_refused():
    row(60)
    row(45, authority="pjm")
    with pytest.raises(IntegrityError), acting(None, "system: test"):
        row(61, starts=DAY)


def test_a_change_is_recorded():
    changed = row(60)
    changed.value = 61
    changed.save()
    assert [version.value for version in changed.history.all()] == [61, 60]


def test_the_shipped_rows_are_loaded_once_and_what_people_changed_stays():
    assert services.load() == len(ROWS)
    changed = RuleSet.objects.order_by("key").first()
    RuleSet.objects.filter(pk=changed.pk).update(value="by hand", verified=True)
    assert services.load() == 0
    assert RuleSet.objects.get(pk=changed.pk).value == "by hand"


def test_every_shipped_row_has_a_source_and_says_whether_it_is_verified():
    services.load()
    for each in RuleSet.objects.all():
        assert each.source.strip() and isinstance(each.verified, bool), each
        assert each.valid_during.lower is not None
