"""Each rule of a filing, with a row that passes and a row that fails: R1, R3, N1."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from moc.history import acting
from moc.rules import WARNING
from registry.grid.models import County
from registry.submissions.models import Finding
from registry.submissions.rules import READING, RULES, SHAPE
from registry.submissions.services import filing, reviewing
from tests.factories.filings import found_in, points, reviewed, row, run, staged, store_in, table, upload
from tests.factories.world import build

pytestmark = pytest.mark.django_db
TOMORROW = str(timezone.localdate() + timedelta(days=2))

# rule → what makes the row wrong; the row without it is right
CASES = {
    "DER-STORAGE-ENERGY": {"der_type": "storage"},
    "DER-USABLE-ENERGY": {"energy_capacity_kwh": "10", "usable_energy_kwh": "10.001"},
    "DER-MINIMUM-ENERGY": {"energy_capacity_kwh": "10", "min_stored_energy_kwh": "11"},
    "DER-EXPORT-NAMEPLATE": {"approved_export_kw": "7.601"},
    "DER-EFFICIENCY": {"round_trip_efficiency_percent": "100.1"},
    "DER-POWER-FACTOR": {"power_factor_over_excited": "1.01"},
    "DER-VOLTAGES": {"nominal_voltage_v": "240", "min_voltage_v": "241"},
    "DER-KVA": {"rated_kva": "7.5"},
    "DER-PHASES": {"phases_installed": "4"},
    "DER-RUN-TIMES": {"min_run_min": "10", "max_run_min": "9"},
    "DER-OPERATING-DATE": {"permission_to_operate_on": "2018-05-13"},
    "DER-DECOMMISSIONED-DATE": {"decommissioned_on": "2018-05-13"},
    "DER-FUTURE-DATE": {"permission_to_operate_on": TOMORROW},
    "DER-AGREEMENT": {"interconnection_agreement_no": ""},
    "DER-COORDINATES": {"latitude": "91"},
    "DER-INVERTER-CERTIFICATION": {"inverter_certification": "none"},
    "FILING-UTILITY-MISSING": {"utility_id_eia": ""},
    "FILING-UTILITY": {"utility_id_eia": "99999"},
    "FILING-SERVICE-POINT-MISSING": {"usage_point_id": ""},
    "FILING-SERVICE-POINT": {"usage_point_id": "no-such-point"},
    "FILING-ACCOUNT": {"edc_account_no": ""},
    "FILING-EMAIL": {"owner_email": "somebody"},
    "FILING-PHASES": {"phases_installed": "2"},
    "FILING-COUNTY": {"county_fips": "34001"},
    "FILE-NUMBER": {"nameplate_ac_kw": "seven"},
    "FILE-DATE": {"commissioned_on": "2019-02-30"},
    "FILE-CHOICE": {"der_type": "sunbeam"},
    "FILE-BOOLEAN": {"meter_revenue_grade": "perhaps"},
    "FILE-JSON": {"protection_settings": "{"},
    "FILE-LENGTH": {"model": "m" * 81},
}
CASES |= {rule.code: {rule.column: ""} for rule in RULES if rule.code.startswith("DER-MISSING/")}
CASES |= {rule.code: {rule.column: "-1"} for rule in RULES if rule.code.startswith("DER-NEGATIVE/")}
# rules that take more than one row, or a record; each has a test of its own below
ELSEWHERE = {
    "FILING-TENURE-ENDED",
    "DUPLICATE-ID-IN-FILE",
    "DUPLICATE-SERIAL-IN-FILE",
    "DUPLICATE-SERIAL",
    "DUPLICATE-AT-SERVICE-POINT",
    "DUPLICATE-AT-SERVICE-POINT-IN-FILE",
    "FILE-TOO-MANY-CELLS",
    "FILE-TOO-FEW-CELLS",
}
BOTH = {"energy_capacity_kwh": "13.5", "usable_energy_kwh": "13", "nominal_voltage_v": "240", "meter_revenue_grade": "true"}


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


def test_every_rule_has_a_case():
    codes = {rule.code for rule in (*RULES, *READING.values(), *SHAPE.values())}
    assert codes == set(CASES) | ELSEWHERE


@pytest.fixture(scope="module")
def all_cases(django_db_setup, django_db_blocker, tmp_path_factory) -> dict[str, tuple[set[str], set[str]]]:
    """rule → (codes found in a right row, codes found in the wrong row), of one file with all cases."""
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path_factory.mktemp("files"))}}
    rows = [made for n, case in enumerate(CASES.values()) for made in (row(2 * n + 1), row(2 * n + 2, **case))]
    with django_db_blocker.unblock(), override_settings(STORAGES=settings.STORAGES | {"default": storage}), transaction.atomic():
        world = build()
        points(world, len(rows))
        found = found_in(staged(world, rows))
        transaction.set_rollback(True)
    by_row = {number: {code for other, code in found if other == number} for number in range(2, len(rows) + 2)}
    return {code: (by_row[2 * n + 2], by_row[2 * n + 3]) for n, code in enumerate(CASES)}


@pytest.mark.parametrize("code", CASES)
def test_rule(all_cases, code):
    """The right row has no finding at all, the wrong one has this."""
    right, wrong = all_cases[code]
    assert right == set()
    assert code in wrong


def test_a_row_with_all_kinds_of_values_has_no_finding(world):
    full = row(1, **BOTH, protection_settings='{"ov": 1}', temporal_limits="[]", telemetry_points="w;var", islanding="none", rated_kva="8")
    submission = staged(world, [full])
    assert found_in(submission) == set()
    filed = submission.rows.get()
    assert (filed.protection_settings, filed.telemetry_points, filed.meter_revenue_grade) == ({"ov": 1}, ["w", "var"], True)


def test_a_finding_holds_row_column_value_and_severity(world):
    submission = staged(world, [row(1, nameplate_ac_kw="seven"), row(2, rated_kva="1")])
    number, doubt = Finding.objects.filter(submission=submission, code__in=["FILE-NUMBER", "DER-KVA"]).order_by("row_number")
    assert (number.row_number, number.column, number.value, number.severity) == (2, "nameplate_ac_kw", "seven", "error")
    assert (doubt.row_number, doubt.column, doubt.severity) == (3, "rated_kva", WARNING)
    assert number.rule.sentence and number.rule.remedy
    assert not submission.findings.filter(code="DER-MISSING/nameplate_ac_kw").exists(), "a cell that could not be read is not also missing"


@pytest.mark.parametrize(
    ("code", "same", "column"),
    [
        ("DUPLICATE-ID-IN-FILE", {"external_id": "A-1"}, "external_id"),
        ("DUPLICATE-SERIAL-IN-FILE", {"serial_no": "SN-1"}, "serial_no"),
        ("DUPLICATE-AT-SERVICE-POINT-IN-FILE", {"usage_point_id": "edc-up-01"}, "usage_point_id"),
    ],
)
def test_duplicates_within_the_file_blame_the_later_row(world, code, same, column):
    submission = staged(world, [row(1), row(2, **same), row(3)])
    assert found_in(submission) == {(3, code)}
    assert submission.findings.get().column == column


def registered(world, *rows) -> None:
    """Rows as master records."""
    review = reviewed(world, rows)
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=review.submission.rows.all(), kind="approve")


@pytest.mark.parametrize(
    ("code", "same"),
    [("DUPLICATE-SERIAL", {"serial_no": "sn-1"}), ("DUPLICATE-AT-SERVICE-POINT", {"usage_point_id": "edc-up-01"})],
)
def test_duplicates_of_the_registry(world, code, same):
    """Another id with the same device, or the same technology in the same place; filing the same id again is an update."""
    registered(world, row(1))
    assert found_in(staged(world, [row(2, **same)])) == {(2, code)}
    again = staged(world, [row(1, rated_kva="8")])
    assert (found_in(again), again.rows.get().change) == (set(), "changed")


def test_a_duplicate_of_another_organization_does_not_say_whose(world):
    registered(world, row(1))
    file = upload(table([row(1)]))
    mine = filing.receive_file(actor=world.user("aggregator2", "filer"), aggregator=world.aggregator2, upload=file)
    run(mine.job)
    found = mine.findings.get(code="DUPLICATE-SERIAL")
    assert world.aggregator.name not in f"{found.rule.sentence} {found.rule.remedy} {found.value}"


@pytest.mark.parametrize(("cells", "code"), [("more,cells", "FILE-TOO-MANY-CELLS"), (None, "FILE-TOO-FEW-CELLS")])
def test_rows_of_another_width(world, cells, code):
    header, first, second = table([row(1), row(2)]).decode().split("\r\n")[:3]
    second = f"{second},{cells}" if cells else second.rpartition(",")[0]
    file = upload("\r\n".join([header, first, second]).encode())
    submission = filing.receive_file(actor=world.user("aggregator", "filer"), aggregator=world.aggregator, upload=file)
    run(submission.job)
    assert found_in(submission) == {(3, code)}


def test_a_county_of_its_own_service_point_passes(world):
    with acting(None, "system: tests"):
        County.objects.create(fips="34003", name="Bergen", state="NJ")
    assert found_in(staged(world, [row(1, county_fips="34003")])) == {(2, "FILING-COUNTY")}
    assert found_in(staged(world, [row(1, county_fips="")])) == set()
