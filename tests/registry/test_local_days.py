"""A day is the state's: what rules and triggers call today begins at local midnight, not at UTC's (R1, R4, ¶336, ¶338)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from moc.history import acting, today_in
from registry.aggregations.models import Aggregation, AggregationMember
from registry.ders.models import Der
from registry.ders.rules import DATES_AND_PLACE
from registry.submissions.change_rules import no_last_day
from registry.submissions.models import StagedDer
from registry.submissions.services import changes, reviewing
from tests.factories.filings import reviewed, row, store_in

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def other_day(settings, world) -> Iterator[date]:
    """Today in a zone where the day is another than in UTC, whenever this runs."""
    behind = datetime.now(UTC).hour < 12
    settings_url, name, home = settings.DATABASE_SUPERUSER_URL, connection.settings_dict["NAME"], settings.TIME_ZONE
    settings.TIME_ZONE = "Etc/GMT+12" if behind else "Etc/GMT-14"
    with psycopg.connect(settings_url, dbname=name, autocommit=True) as server:
        server.execute(today_in(settings.TIME_ZONE))
        try:
            today = timezone.localdate()
            assert today != datetime.now(UTC).date()
            yield today
        finally:
            server.execute(today_in(home))


@pytest.fixture
def der(world, settings, tmp_path) -> Der:
    store_in(settings, tmp_path)
    review = reviewed(world, [row(1)])
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=StagedDer.objects.all(), kind="approve")
    return Der.objects.get()


def test_what_is_built_today_does_not_lie_in_the_future(der, other_day):
    """DER-FUTURE-DATE, with the local day and the one after it."""
    rule = next(each for each in DATES_AND_PLACE if each.code == "DER-FUTURE-DATE")
    for day, found in ((other_day, 0), (other_day + DAY, 1)):
        with acting(None, "system: tests"):
            Der.objects.update(commissioned_on=day, permission_to_operate_on=day)
        assert rule(Der.objects.all()).count() == found


def test_a_last_day_is_today_at_the_latest(world, der, other_day):
    """CHANGE-NO-LAST-DAY, with the local day and the one after it."""
    how = {"actor": world.user("aggregator", "filer"), "aggregator": world.aggregator, "ders": Der.objects.all(), "reason": "As asked"}
    draft = changes.start(kind="retire", **how)
    rows = StagedDer.objects.filter(submission=draft)
    for day, found in ((other_day, 0), (other_day + DAY, 1)):
        with acting(None, "system: tests"):
            rows.update(decommissioned_on=day)
        assert no_last_day(rows).count() == found


def test_memberships_end_on_the_local_day(world, der, other_day):
    """A DER that is gone without a day left today: whoever wrote it, also psql."""
    parties = {"aggregator": world.aggregator, **dict.fromkeys(("market_agent", "dispatch_agent", "meter_reader"), world.aggregator)}
    with acting(None, "system: tests"):
        made = Aggregation.objects.create(tso=world.tso, services=["energy"], name="A", **parties)
        AggregationMember.objects.create(
            aggregation=made,
            der=der,
            service_id="energy",
            aggregator=world.aggregator,
            edc=world.edc,
            wholesale=True,
            valid_during=(date(2026, 1, 1), None),
        )
        Der.objects.update(status=Der.Status.DECOMMISSIONED, decommissioned_on=None)
    assert AggregationMember.objects.get().valid_during.upper == other_day
