"""Envelopes of groups: sums of members' limits, as far as each reader sees the members. O4."""

import csv
from collections.abc import Callable

import pytest
from django.utils import timezone

from moc.history import acting
from operations.envelopes import reports as envelopes
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy, EnvelopeRun
from operations.envelopes.services import computing, life
from operations.groups import reports
from operations.network.services import building
from registry.aggregations.models import AggregationMember
from registry.ders.models import Der
from registry.grid.models import Transformer
from tests.contracts.scene_aggregations import ALWAYS, make
from tests.factories.filings import store_in
from tests.factories.networks import current, der, midnight, ordered, points_of, rows
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
API, PAGES = "/api/v1/operations/envelope-groups/", "/operations/envelopes/groups/"


@pytest.fixture
def feeder(world, settings, tmp_path):
    """Five points behind T-9: DERs A and B of the first aggregator and C of the second at the first two, A and C behind one point, in
    tomorrow's set of two hours; then D and E of the first, which no set knows."""
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear(), computing._machine.cache_clear()
    feeder = world.feeders["edc"][0]
    points = points_of(feeder)[:5]
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False)
        service = Transformer.objects.create(edc=world.edc, feeder=feeder, code="T-9", rated_kva=40)
        feeder.service_points.filter(usage_point_id__in=points).update(transformer=service)
        for point, name in zip(points[:2] + points[:1], "ABC", strict=True):
            der(world, point, external_id=name, aggregator=world.aggregator2 if name == "C" else None)
    current(world, feeder, rows(points, metres=60, kva=40))
    life.publish(actor=None, run=ordered(world, feeder, hours=2))
    with acting(None, REASON):
        der(world, points[1], external_id="D"), der(world, points[3], external_id="E")
    return feeder


def of(world, name: str, kind: str = "feeder", **lookup) -> reports.Together:
    user = world.user(name, "administrator")
    (group,) = reports.found(user, kind, **lookup)
    return reports.together(user, group.members)


def limits() -> dict[str, envelopes.Limits]:
    found = envelopes.limits_of(list(EnvelopePoint.objects.select_related("der")))
    names = dict(EnvelopePoint.objects.values_list("pk", "der__external_id"))
    return {names[pk]: next(each for each in rows if each.source == envelopes.PUBLISHED) for pk, rows in found.items()}


def at(sums: reports.Together, moment) -> int:
    return sums.times.index(moment)


def test_the_sum_is_of_members_by_the_sets_in_force(world, feeder):
    """O4: in the set its limits, of each DER behind a point its own part; beside it those without envelope; who is in none is told."""
    sums, single = of(world, "edc", code="F1"), limits()
    first = at(sums, midnight())
    step = single["A"].step_minutes // sums.step_minutes
    for n in range(len(single["A"].max_kw)):
        place = first + n * step
        assert sums.max_kw[place] == pytest.approx(sum(single[name].max_kw[n] for name in "ABC") + 3, abs=0.06)
        assert sums.min_kw[place] == pytest.approx(sum(single[name].min_kw[n] for name in "ABC") - 10, abs=0.06)
    assert sums.without_set[first] == 2
    assert (sums.max_kw[0], sums.min_kw[0], sums.without_set[0]) == (7.5, -25.0, 5) and sums.now[single_der("E")] == (5.0, 1.5)
    assert len(sums.max_kw) * sums.step_minutes >= 24 * 60 and sums.starts_at <= timezone.now()


def single_der(name: str) -> int:
    return Der.objects.get(external_id=name).pk


def test_each_reader_sums_what_it_may_see(world, feeder):
    """O4: an aggregator its own members on the feeder and behind the transformer; the utility all; a stranger finds no group."""
    transformer = Transformer.objects.get(code="T-9")
    place = at(of(world, "edc", code="F1"), midnight())
    every, one, two = (of(world, name, code="F1").max_kw[place] for name in ("edc", "aggregator", "aggregator2"))
    assert one + two == pytest.approx(every, abs=0.06) and 0 < two < one
    assert two == pytest.approx(limits()["C"].max_kw[0], abs=0.06)
    behind = of(world, "aggregator", "transformer", pk=transformer.pk)
    assert behind.max_kw[place] == one
    alone, both = (of(world, name, "service_point", usage_point_id=points_of(feeder)[0]).max_kw[place] for name in ("aggregator2", "edc"))
    assert alone == two and both == pytest.approx(two + limits()["A"].max_kw[0], abs=0.06)
    assert reports.found(world.user("edc2", "administrator"), "feeder", pk=feeder.pk) == []
    assert reports.found(world.user("edc2", "administrator"), "transformer", pk=transformer.pk) == []


def test_what_binds_is_named_to_the_utility_and_not_to_another_customer(world, feeder):
    """O4: a rating to everybody; the connection point whose voltage binds to the utility only."""
    utility, aggregator = of(world, "edc", code="F1").binds, of(world, "aggregator2", code="F1").binds
    assert utility and utility[0].feeder == "F1" and utility == sorted(utility, key=lambda each: -each.intervals)
    assert all(0 < each.members <= 3 for each in utility)
    named = {each.what for each in utility if each.what.startswith("Voltage")}
    assert named and all(what.startswith("Voltage at edc") for what in named) and not named & {each.what for each in aggregator}
    assert {each.what for each in aggregator if each.what.startswith("Voltage")} <= {reports.VOLTAGE}


def test_an_aggregation_by_page_by_csv_and_by_program(world, feeder, client_of, api_of, django_assert_num_queries):
    """O4: its members of today; of strangers it is not there."""
    with acting(None, REASON):
        group = make(world.aggregator, world.tso, name="Elm Street")
        facts = {"service_id": "energy", "wholesale": True, "valid_during": ALWAYS, "aggregator": world.aggregator, "edc": world.edc}
        for member in Der.objects.filter(external_id__in=["A", "B"]):
            AggregationMember.objects.create(aggregation=group, der=member, **facts)
    client, url = client_of(world.user("aggregator", "administrator")), f"{PAGES}aggregation/{group.uuid}/"
    page = client.get(url).content.decode()
    assert "What binds most often" in page and f"/operations/envelopes/{EnvelopePoint.objects.get(der__external_id='A').pk}/" in page
    assert url in client.get(f"/registry/aggregations/{group.uuid}/").content.decode()
    lines = b"".join(client.get(f"{url}export.csv").streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("starts_at,minutes,import_limit_kw,export_limit_kw,without_set,least_kvar_while_importing,")
    assert "Reactive power together" in page and "not known" in page and "together (negative" not in page, "no capability is registered"
    api = api_of(world.user("aggregator", "administrator"))
    with django_assert_num_queries(8):
        said = api.get(f"{API}?aggregation={group.uuid}").json()
    assert (said["kind"], said["name"], said["members"]) == ("aggregation", str(group.uuid), 2)
    assert len(lines) == 1 + len(said["max_kw"]) and float(lines[-1].split(",")[3]) == said["max_kw"][-1]
    assert said["binds"] and len(said["min_kw"]) == len(said["without_set"]) == len(said["max_kw"])
    stranger, other = world.user("aggregator2", "administrator"), world.user("edc2", "administrator")
    for user in (stranger, other):
        assert api_of(user).get(f"{API}?aggregation={group.uuid}").status_code == 404
        assert client_of(user).get(url).status_code == client_of(user).get(f"{url}export.csv").status_code == 404


def test_kvar_is_summed_where_it_is_known(world, feeder, client_of, api_of):
    """O4: of those whose capability is registered, in the set, either way; beside it how many are not known, all of them outside of it."""
    with acting(None, REASON):
        for name, inject, absorb in (("A", 4, 2), ("B", 3, 3)):
            Der.objects.filter(external_id=name).update(rated_kva=12, rated_inject_kvar=inject, rated_absorb_kvar=absorb)
    life.publish(actor=None, run=ordered(world, feeder, hours=2, step=30))
    sums, single = of(world, "edc", code="F1"), limits()
    first = at(sums, midnight())
    step = single["A"].step_minutes // sums.step_minutes
    for way, (least, most) in sums.kvar.items():
        assert set(single) == {"A", "B", "C", "D", "E"} and not single["C"].kvar
        for n in range(len(single["A"].max_kw)):
            for side, values in enumerate((least, most)):
                told = sum(single[name].kvar[way][side][n] for name in "AB")
                assert values[first + n * step] == pytest.approx(told, abs=0.06)
        assert least[0] is None is most[0]
    assert max(max(filter(None, most)) for _, most in sums.kvar.values()) > 1
    assert (sums.without_kvar[0], sums.without_kvar[first]) == (5, 3)
    assert set(of(world, "aggregator2", code="F1").without_kvar) == {1}
    client, api = client_of(world.user("edc", "administrator")), api_of(world.user("edc", "administrator"))
    page, said = client.get(f"{PAGES}feeder/{feeder.pk}/").content.decode(), api.get(f"{API}?feeder=F1").json()
    assert "Reactive power together (negative: absorbed)" in page and "Not known now" in page
    assert said["kvar_exporting"] == dict(zip(("least", "most"), sums.kvar["export"], strict=True)) and said["without_kvar"][first] == 3
    lines = b"".join(client.get(f"{PAGES}feeder/{feeder.pk}/export.csv").streaming_content).decode("utf-8-sig").splitlines()
    row = list(csv.DictReader(lines))[first]
    assert (row["without_kvar"], float(row["most_kvar_while_exporting"])) == ("3", sums.kvar["export"][1][first])
    assert list(csv.DictReader(lines))[0]["least_kvar_while_importing"] == ""


def test_a_held_set_leaves_the_limits_without_envelope(world, feeder):
    run = EnvelopeRun.objects.get(number=1)
    place = at(of(world, "edc", code="F1"), midnight())
    life.hold(actor=world.user("edc", "administrator"), run=run, reason="A crew is out")
    sums = of(world, "edc", code="F1")
    assert sums.max_kw[place] == 7.5 and set(sums.without_set) == {5} and sums.binds == []


def test_what_is_asked_must_be_one_group(world, feeder, api_of, client_of):
    api = api_of(world.user("edc", "administrator"))
    for query, words in (("", "Name one group"), ("?feeder=F1&transformer=T-9", "Name one group"), ("?aggregation=x", "aggregation")):
        refused = api.get(f"{API}{query}")
        assert refused.status_code == 400 and words in refused.content.decode()
    assert api.get(f"{API}?feeder=F99").status_code == api.get(f"{API}?feeder=F1&edc=edc2").status_code == 404
    both = api_of(world.all_seeing()).get(f"{API}?feeder=F1")
    assert both.status_code == 400 and "name the utility by its slug" in both.content.decode()
    client = client_of(world.user("edc", "administrator"))
    for wrong in ("feeder/x", "aggregation/7", "street/7", f"feeder/{2**63}"):
        assert client.get(f"{PAGES}{wrong}/").status_code == 404


def test_pages_of_the_grid_lead_there(world, feeder, client_of):
    client, transformer = client_of(world.user("edc", "administrator")), Transformer.objects.get(code="T-9")
    pages: dict[str, Callable] = {
        f"/operations/feeders/{feeder.pk}/": f"{PAGES}feeder/{feeder.pk}/",
        f"/registry/grid/feeders/{feeder.pk}/": f"{PAGES}feeder/{feeder.pk}/",
        f"/registry/grid/transformers/{transformer.pk}/": f"{PAGES}transformer/{transformer.pk}/",
    }
    for page, link in pages.items():
        assert link in client.get(page).content.decode() and client.get(link).status_code == 200
