"""Limits by time that a decision sets are carried to the record, and go with the next decision: R2, R3."""

import pytest

from registry.ders import reports
from registry.ders.models import Der
from registry.submissions.services import reviewing
from tests.factories.filings import reviewed, row, store_in

pytestmark = pytest.mark.django_db
SUMMER = [{"rrule": "FREQ=YEARLY;BYMONTH=6,7,8", "starts": "11:00", "ends": "15:00", "export_kw": 3}]


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


def decide(world, kind: str, limits=None, **facts) -> Der:
    review = reviewed(world, [row(1, **facts)])
    rows = review.submission.rows.all()
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=rows, kind=kind, temporal_limits=limits)
    return Der.objects.get()


def test_they_stand_on_the_record_in_its_history_and_everywhere_it_is_shown(world, client_of, api_of):
    der = decide(world, "approve_limited", SUMMER)
    assert (der.limits_by_time, der.temporal_limits, der.export_limit_kw) == (SUMMER, None, None)
    assert der.history.latest().limits_by_time == SUMMER
    assert ("Limits by time by decision", SUMMER, None, None) in reports.registry_facts(der)
    assert "FREQ=YEARLY" in client_of(world.user("edc", "viewer")).get(f"/registry/ders/{der.uuid}/").content.decode()
    assert api_of(world.machine).get(f"/api/v1/registry/ders/{der.uuid}/").json()["limits_by_time"] == SUMMER


def test_the_next_decision_sets_them_anew_and_an_equal_one_leaves_no_version(world):
    decide(world, "approve_limited", SUMMER)
    again = decide(world, "approve_limited", SUMMER, model="another")
    assert (again.limits_by_time, again.history.count()) == (SUMMER, 2)
    cleared = decide(world, "approve", model="a third")
    assert (cleared.limits_by_time, cleared.history.count()) == (None, 3)
