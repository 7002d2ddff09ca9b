"""A utility loads its grid records: N11, R6. Each rule with a row that passes and one that fails; all or nothing, or the good rows."""

import pytest
from django.db import connection
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext

from moc.access.policy import NotPermitted
from moc.history import acting
from moc.lifecycle import TransitionRefused
from moc.rules import ERROR, registry
from registry.ders.models import Der
from registry.grid import rules
from registry.grid.dictionary import KINDS
from registry.grid.models import County, Feeder, GridLoad, ServicePoint, Substation, TdInterface, Transformer
from registry.grid.services import loads
from tests.factories.ders import register
from tests.factories.filings import store_in, table, upload
from tests.registry.grid.loading import found_in, loaded, point, run

pytestmark = pytest.mark.django_db
Kind, Status = GridLoad.Kind, GridLoad.Status

# rule → (what makes the row wrong, the column that is blamed)
CASES = {
    "GRID-NUMBER": ({"nominal_voltage_v": "mains"}, "nominal_voltage_v"),
    "GRID-LENGTH": ({"address": "a" * 201}, "address"),
    "GRID-MISSING": ({"usage_point_id": ""}, "usage_point_id"),
    "GRID-REFERENCE": ({"transformer": "T-NOWHERE"}, "transformer"),
    "GRID-RANGE": ({"latitude": "91"}, "latitude"),
    "GRID-PHASES": ({"phases_available": "4"}, "phases_available"),
    "GRID-TRANSFORMER-FEEDER": ({"feeder": "F2"}, "feeder"),
    "GRID-PNODE": ({"pnode": "EDC2 ZONE"}, "pnode"),
    "GRID-TERRITORY": ({"county_fips": "34003"}, "county_fips"),
    "GRID-DUPLICATE": ({"usage_point_id": "NEW-001"}, "usage_point_id"),
}
SHAPES = {rule.code for rule in rules.SHAPE.values()}


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


def test_every_rule_has_a_case():
    assert {code for code in registry if code.startswith("GRID-")} == set(CASES) | SHAPES


@pytest.mark.parametrize("code", CASES)
def test_rule(world, code):
    """The right row has no finding; the wrong one has this, with column, value, sentence and remedy."""
    wrong, column = CASES[code]
    with acting(None, "system: tests"):
        County.objects.create(fips="34003", name="Bergen", state="NJ")
        if code == "GRID-PNODE":
            world.tso.pnodes.create(name="EDC2 ZONE")
    load = loaded(world, Kind.SERVICE_POINTS, [point(1), point(2, **wrong)])
    assert found_in(load) == {(3, code, column)}
    finding = load.findings.get()
    assert finding.value == wrong[column][:500] and finding.rule.sentence and finding.rule.remedy
    assert load.status == (Status.REFUSED if finding.severity == ERROR else Status.LOADED)


def test_rows_of_another_width(world):
    content = b"code,feeder\nT-A,F1,more\nT-B\n"
    assert {code for _, code, _ in found_in(loaded(world, Kind.TRANSFORMERS, content))} >= SHAPES


def test_one_bad_row_keeps_all_out_until_the_good_ones_are_taken(world):
    before = ServicePoint.objects.count()
    load = loaded(world, Kind.SERVICE_POINTS, [point(1), point(2, feeder="F9"), point(3)])
    assert (load.status, load.row_count, load.bad, load.created) == (Status.REFUSED, 3, 1, 0)
    assert ServicePoint.objects.count() == before
    load = loads.take_good(actor=world.user("edc", "administrator"), load=load)
    run(load.job)
    load.refresh_from_db()
    assert (load.status, load.bad, load.created, load.changed) == (Status.LOADED, 1, 2, 0)
    assert ServicePoint.objects.count() == before + 2
    assert load.findings.count() == 1, "the findings of the bad row stay"


def test_a_file_without_a_good_row_loads_nothing_even_if_asked_for_the_good_ones(world):
    load = loaded(world, Kind.FEEDERS, [{"code": "F8", "substation": "S9"}], only_good=True)
    assert (load.status, load.created) == (Status.REFUSED, 0)


def test_known_codes_change_and_equal_rows_leave_no_version(world):
    """A column that the file lacks keeps its value; what stays equal is not touched."""
    known = world.service_points["edc"][0]
    rows = [{"usage_point_id": known.usage_point_id, "address": "9 Other Street"}, {"usage_point_id": "edc-up-02", "address": None}]
    rows[1]["address"] = world.service_points["edc"][1].address
    load = loaded(world, Kind.SERVICE_POINTS, rows)
    assert (load.status, load.created, load.changed) == (Status.LOADED, 0, 1)
    after = ServicePoint.objects.get(pk=known.pk)
    assert (after.address, after.feeder_id, after.zip_code, after.phases_available) == ("9 Other Street", known.feeder_id, "07701", 1)
    version = after.history.latest()
    assert (after.history.count(), version.history_user, version.history_change_reason) == (
        2,
        world.user("edc", "administrator"),
        "Loaded grid.csv",
    )
    assert ServicePoint.objects.get(usage_point_id="edc-up-02").history.count() == 1


def test_the_whole_chain_from_interface_to_service_point(world):
    for kind, rows in {
        Kind.TD_INTERFACES: [{"code": "TD9", "name": "Ninth", "pnode": "EDC ZONE"}],
        Kind.SUBSTATIONS: [{"Substation code": "S9", "name": "Ninth", "interface": "TD9", "lat": "40.1", "lon": "-74.2"}],
        Kind.FEEDERS: [{"circuit": "F9", "substation": "S9", "kv": ""}],
        Kind.TRANSFORMERS: [{"code": "T9", "feeder": "F9", "kva": "75"}],
        Kind.SERVICE_POINTS: [{"usage_point_id": "P9", "transformer": "T9", "pnode": "EDC ZONE", "county": "34001"}],
    }.items():
        load = loaded(world, kind, rows)
        assert (load.status, load.created) == (Status.LOADED, 1), (kind, found_in(load))
    found = ServicePoint.objects.select_related("feeder__substation__td_interface").get(edc=world.edc, usage_point_id="P9")
    assert (found.feeder.code, str(found.feeder.nominal_kv), found.county_id) == ("F9", "13.200", "34001"), (
        "the transformer knows the feeder"
    )
    assert (found.transformer.rated_kva, found.feeder.substation.td_interface.code) == (75, "TD9")


def test_codes_are_each_utilitys_own(world):
    """The other utility's feeder is no feeder here, and the same code is another record: N3."""
    with acting(None, "system: tests"):
        Feeder.objects.create(edc=world.edc2, substation=Substation.objects.get(edc=world.edc2), code="F77")
    assert found_in(loaded(world, Kind.SERVICE_POINTS, [point(1, feeder="F77", transformer="", pnode="")])) == {
        (2, "GRID-REFERENCE", "feeder")
    }
    theirs = ServicePoint.objects.get(usage_point_id="edc2-up-01")
    load = loaded(world, Kind.SERVICE_POINTS, [point(1, usage_point_id="edc2-up-01")])
    assert (load.created, ServicePoint.objects.filter(usage_point_id="edc2-up-01").count()) == (1, 2)
    assert ServicePoint.objects.get(pk=theirs.pk).address == theirs.address


def test_ders_and_service_points_follow_the_grid(world):
    """A service point that moves to another feeder takes its DERs along, and a transformer its service points."""
    der = register(world, 1)[0]
    moved = der.service_point
    other = next(feeder for feeder in world.feeders["edc"] if feeder.pk != moved.feeder_id)
    loaded(world, Kind.SERVICE_POINTS, [{"usage_point_id": moved.usage_point_id, "transformer": f"T-{other.code}", "county": "34001"}])
    der.refresh_from_db()
    assert (der.feeder_id, der.county_id, der.history.count()) == (other.pk, "34001", 2)
    loaded(world, Kind.TRANSFORMERS, [{"code": f"T-{other.code}", "feeder": moved.feeder.code}])
    assert ServicePoint.objects.get(pk=moved.pk).feeder_id == moved.feeder_id
    assert Der.objects.get(pk=der.pk).feeder_id == moved.feeder_id


def test_a_file_that_cannot_be_read_changes_nothing_and_says_why(world):
    load = loaded(world, Kind.FEEDERS, b"PK\x03\x04 no workbook", name="grid.xlsx")
    assert (load.status, load.row_count) == (Status.FAILED, 0)
    assert load.job.outcome["sentence"] and load.job.outcome["remedy"]


def test_only_the_utilitys_administrator_loads(world):
    """N2, N3."""
    rows = table([{"code": "T-A", "feeder": "F1"}])
    for organization, role in (("edc", "reviewer"), ("edc2", "administrator"), ("aggregator", "administrator"), ("rerra", "administrator")):
        with pytest.raises(NotPermitted):
            loads.receive(actor=world.user(organization, role), edc=world.edc, kind=Kind.TRANSFORMERS, upload=upload(rows))
    load = loaded(world, Kind.TRANSFORMERS, [{"code": "T-A", "feeder": "F9"}])
    with pytest.raises(NotPermitted):
        loads.take_good(actor=world.user("edc2", "administrator"), load=load)
    assert not Transformer.objects.filter(code="T-A").exists()


def test_what_is_loaded_is_not_loaded_again(world):
    load = loaded(world, Kind.TRANSFORMERS, [{"code": "T-A", "feeder": "F1"}])
    with pytest.raises(TransitionRefused):
        loads.take_good(actor=world.user("edc", "administrator"), load=load)
    versions = Transformer.objects.get(code="T-A").history.count()
    run(load.job)
    assert Transformer.objects.get(code="T-A").history.count() == versions == 1


def test_a_load_given_up_by_its_workers_ends(world):
    load = loads.receive(
        actor=world.user("edc", "administrator"),
        edc=world.edc,
        kind=Kind.FEEDERS,
        upload=upload(table([{"code": "F8", "substation": "S1"}])),
    )
    assert loads.end_abandoned() == 0
    type(load.job).objects.filter(pk=load.job.pk).update(status="failed", error="The worker died.")
    assert loads.end_abandoned() == 1
    load.refresh_from_db()
    assert load.status == Status.FAILED


def test_grid_records_in_use_stay(world):
    with pytest.raises(ProtectedError), acting(None, "system: tests"):
        TdInterface.objects.filter(edc=world.edc).delete()


def test_statements_do_not_grow_with_rows(world):
    """100,000 service points in seconds: no more statements for three thousand rows than for two."""
    counts = []
    for number in (2, 3_000):
        rows = [point(n, usage_point_id=f"L{number}-{n}") for n in range(number)]
        with CaptureQueriesContext(connection) as captured:
            load = loaded(world, Kind.SERVICE_POINTS, rows)
        counts.append(len([query for query in captured if "moc_job" not in query["sql"]]))
        assert (load.status, load.created) == (Status.LOADED, number)
    assert counts[1] <= counts[0] < 60


def test_every_column_is_a_field_of_its_model():
    for kind in KINDS.values():
        assert all(kind.field(column) for column in kind.columns if column.stored)
        assert kind.key in kind.vocabulary.required
