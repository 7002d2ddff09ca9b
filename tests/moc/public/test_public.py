"""Public pages (N7): open to everybody, of published figures only; figures are frozen until enough customers change; open data."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from moc.access import policy
from moc.history import acting
from moc.public import reports, services
from moc.public.models import Publication, PublishedCell
from moc.rulesets.models import RuleSet
from registry.ders.models import Der
from registry.grid.models import ServicePoint
from tests.factories.ders import register
from tests.factories.qualification import aggregate
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
PAGES = ("", "aggregators/", "rules/", "data/")


def homes(world, number: int, first: int = 1, **facts) -> list[Der]:
    """DERs of `number` customers at service points of their own, 5 kW each."""
    known = {"edc": world.edc, "county": world.counties[0]}
    found = []
    for n in range(first, first + number):
        with acting(None, REASON):
            place, _ = ServicePoint.objects.get_or_create(usage_point_id=f"home-{n}", **known)
        given = {"service_point": place, "county": place.county, "nameplate_ac_kw": 5, "prefix": f"H{n}"}
        found += register(world, 1, **given | facts)
    return found


def cell(row: str = "", column: str = "", cube: str = "place") -> PublishedCell | None:
    return PublishedCell.objects.filter(cube=cube, row=row, column=column).first()


def test_pages_are_open_and_without_a_publication_say_so(world, client):
    for page in PAGES:
        response = client.get(f"/public/{page}")
        assert response.status_code == 200, page
    assert "Nothing was published yet" in client.get("/public/").text
    assert client.get("/public/data/passwords.csv").status_code == 404


def test_figures_are_those_of_the_registry(world, client):
    """Counted a second way by SQL; a decommissioned DER is not counted, and a customer with two DERs is one."""
    ders = homes(world, 40)
    homes(world, 1, nameplate_ac_kw=3, prefix="SECOND")
    with acting(None, REASON):
        Der.objects.filter(pk=ders[-1].pk).update(status="decommissioned")
    made = services.publish()
    ((customers, kw),) = _sql(
        "SELECT count(DISTINCT service_point_id), sum(nameplate_ac_kw) FROM registry_der WHERE status <> 'decommissioned'"
    )
    assert (cell().customers, cell().nameplate_ac_kw) == (customers, kw) == (39, 198)
    assert (cell("34025").customers, cell(world.edc.slug, "residential", "party").customers) == (39, 39)
    assert (made.least, made.percent, made.hidden) == (15, 15, 0)
    page = client.get("/public/")
    assert "39 customers" in page.text and "Monmouth" in page.text


def _sql(statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_few_customers_stand_nowhere(world, client):
    """What is hidden is not in the table, its versions, the pages, or the open data; nor does it follow from a total."""
    homes(world, 60)
    homes(world, 4, first=61, der_type="wind", nameplate_ac_kw=7)
    services.publish()
    wind = cell("", "wind")
    assert not wind.shown and not cell("34025", "wind").shown
    assert not (cell().shown and cell("", "photovoltaic").shown), "their difference would be the wind"
    assert list(wind.history.values_list("customers", flat=True)) == [None]
    rows = list(csv.DictReader(io.StringIO(b"".join(client.get("/public/data/figures.csv")).decode("utf-8-sig"))))
    (line,) = [row for row in rows if (row["table"], row["row"], row["column"]) == ("place", "", "wind")]
    assert (line["customers"], line["nameplate_ac_kw"], line["hidden"]) == ("", "", "too few customers")
    assert "hidden" in client.get("/public/?technology=wind").text


def test_a_figure_is_counted_again_when_enough_customers_changed(world):
    """Fourteen new customers change nothing that is published; the fifteenth does. What is told of none is left alone."""
    homes(world, 60)
    services.publish()
    first = cell()
    homes(world, 14, first=61)
    made = services.publish()
    assert (cell().customers, cell().read_at, made.renewed) == (60, first.read_at, 0)
    homes(world, 1, first=75)
    made = services.publish()
    assert cell().customers == 75 and made.renewed == PublishedCell.objects.count()
    assert first.history.count() == 2, "a publication that changes nothing leaves no version"
    with acting(None, REASON):
        Der.objects.update(model="Another")
    assert services.publish().renewed == 0, "nobody's power changed"


def test_a_large_change_of_one_customer_is_not_told(world):
    homes(world, 60)
    services.publish()
    homes(world, 16, first=61)
    with acting(None, REASON):
        Der.objects.filter(external_id="H1-1").update(nameplate_ac_kw=60)
    services.publish()
    assert cell().customers == 60, "of what changed one customer has more than its share"


def test_the_strictest_regulator_decides(world):
    homes(world, 16)
    with acting(None, REASON):
        RuleSet.objects.create(
            key=services.CUSTOMERS, authority="rerra2", value=100, valid_during=("2020-01-01", None), source="A rule of the board"
        )
    made = services.publish()
    assert made.least == 100 and not PublishedCell.objects.filter(customers__isnull=False).exists()


def test_who_may_publish(world):
    with pytest.raises(policy.NotPermitted):
        services.publish(actor=world.user("rerra", "administrator"))
    assert services.publish(actor=world.user("operator", "administrator")).pk


def test_the_dashboard_is_kept_between_publications(world, client, django_assert_max_num_queries):
    homes(world, 40)
    services.publish()
    client.get("/public/")
    with django_assert_max_num_queries(8):
        client.get("/public/")
    services.publish()
    assert reports.dashboard()["publication"] == Publication.objects.first()


def test_aggregators_and_their_services(world, client):
    aggregation = aggregate(world, register(world, 1), "energy")
    with acting(None, REASON):
        type(aggregation).objects.filter(pk=aggregation.pk).update(status="registered")
    found = {row["name"]: row for row in reports.participants()}
    assert set(found) == {world.aggregator.name, world.aggregator2.name}
    assert found[world.aggregator.name]["services"] and not found[world.aggregator2.name]["services"]
    assert world.aggregator.name in client.get("/public/aggregators/").text


def test_the_law_in_force_with_its_sources(world, client):
    day = timezone.localdate()
    with acting(None, REASON):
        for key, value, days in (
            ("past", 1, ("2020-01-01", str(day))),
            ("present", 2, (str(day), None)),
            ("future", 3, (str(day + timedelta(days=9)), None)),
        ):
            RuleSet.objects.create(key=key, value=value, valid_during=days, source=f"source of {key}")
    page = client.get("/public/rules/").text
    assert "source of present" in page and "source of past" not in page and "source of future" not in page


def test_open_data_has_its_dictionary(world, client):
    homes(world, 40)
    services.publish()
    for name in ("figures", "aggregators", "rules", "dictionary"):
        response = client.get(f"/public/data/{name}.csv")
        head = b"".join(response).decode("utf-8-sig").splitlines()[0].split(",")
        told = [column for file, column, _, _ in reports.DICTIONARY if file == f"{name}.csv"]
        assert head == (told or ["file", "column", "type", "what it is"]), name


def test_counties_of_any_state_have_a_tile():
    """Ours have their place, others follow below in rows."""
    cells = {"34025": (20, 1), "34001": (20, 1)}
    assert reports.tiles({})["tiles"] == []
    layout = reports._layout()
    assert len(layout) == len(set(layout.values())) == 21 and set(cells) < set(layout)
