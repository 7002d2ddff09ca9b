"""The set path (a file) and the one-row path (the form) leave the same row, the same findings and the same master record: R1, N1."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import transaction

from registry.ders.dictionary import FIELDS, PERSONAL
from registry.ders.models import Der
from registry.submissions.forms.rows import STEPS, StepForm
from registry.submissions.models import Submission
from registry.submissions.services import filing, reviewing
from tests.factories.filings import row, staged, store_in

pytestmark = pytest.mark.django_db

CASES = {
    "right": {},
    "storage without energy": {"der_type": "storage"},
    "storage": {"der_type": "storage", "energy_capacity_kwh": "13.5", "max_charge_kw": "5", "round_trip_efficiency_percent": "89.5"},
    "negative and missing": {"nameplate_ac_kw": "-1", "premise_address": "", "consent_reference": ""},
    "no utility": {"utility_id_eia": ""},
    "unknown service point": {"usage_point_id": "nowhere"},
    "no account": {"edc_account_no": ""},
    "export above nameplate": {"approved_export_kw": "8"},
    "every kind of value": {
        "protection_settings": '{"ov_v": 264, "trip": [1, 2]}',
        "temporal_limits": '[{"starts": "10:00", "export_kw": 3}]',
        "telemetry_points": "w;var",
        "islanding": "none",
        "meter_revenue_grade": "true",
        "response_time_s": "60",
        "zip_code": "07701",
    },
}
IDENTITY = {"id", "submission_id", "row_number", "decision_id"}


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


def by_file(world, values: dict) -> Submission:
    return staged(world, [values])


def by_form(world, values: dict) -> Submission:
    """The same texts through every step of the form."""
    filer = world.user("aggregator", "filer")
    draft, made = filing.create_draft(actor=filer, aggregator=world.aggregator, title="By form"), None
    for step in STEPS:
        form = StepForm({name: _posted(name, values.get(name, "")) for name in step.names}, step=step, row=made)
        assert form.is_valid(), form.errors
        made = filing.save_row(actor=filer, submission=draft, values=form.cleaned_data, row=made)
    return draft


def _posted(name: str, text: str):
    """A value as a browser sends it: codes of a set as several values."""
    codes = name in {"control_modes", "envelope_modes", "islanding"}
    return [code for code in text.split(";") if code] if codes else text


def left_behind(world, path, values: dict) -> dict:
    """What a path leaves: row, owner, findings, and the master record once approved. Everything is rolled back."""
    with transaction.atomic():
        submission = path(world, values)
        filed = submission.rows.get()
        owner = getattr(filed, "owner", None)
        left = {
            "row": values_of(filed, but=IDENTITY),
            "owner": [getattr(owner, name, "") for name in PERSONAL],
            "findings": set(submission.findings.values_list("code", "severity", "column", "value")),
            "record": _approved(world, submission) if not submission.rows.bad().exists() else None,
        }
        transaction.set_rollback(True)
    return left


def _approved(world, submission: Submission) -> dict:
    version, _, _ = filing.attestation()
    submitted = filing.submit(actor=world.user("aggregator", "approver"), submission=submission, attestation_version=version)
    review = submitted.reviews.get()
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=submitted.rows.all(), kind="approve")
    der = Der.objects.get()
    return values_of(der, but={"id", "uuid", "owner_id"})


def values_of(record, but: set[str]) -> dict:
    return {field.attname: getattr(record, field.attname) for field in record._meta.concrete_fields if field.attname not in but}


@pytest.mark.parametrize("case", CASES)
def test_form_and_file_leave_the_same(world, case):
    values = row(1, **CASES[case])
    file, form = left_behind(world, by_file, values), left_behind(world, by_form, values)
    assert form == file


def test_a_changed_row_is_found_to_be_the_same_change(world):
    submission = by_file(world, row(1))
    _approved(world, submission)
    cases = [
        ({}, "unchanged"),
        ({"model": "AS-9"}, "changed"),
        ({"usage_point_id": "edc-up-02"}, "changed"),
        ({"owner_phone": "1"}, "changed"),
    ]
    for other, change in cases:
        values = row(1, **other)
        file, form = left_behind_row(world, by_file, values), left_behind_row(world, by_form, values)
        assert (file, form) == (change, change)


def left_behind_row(world, path, values: dict) -> str:
    with transaction.atomic():
        change = path(world, values).rows.get().change
        transaction.set_rollback(True)
    return change


def test_the_form_knows_every_column_of_a_filing():
    assert {name for step in STEPS for name in step.names} == set(FIELDS)


def test_typed_values_are_those_of_the_file(world):
    filed = by_form(world, row(1)).rows.get()
    assert (filed.commissioned_on, filed.nameplate_ac_kw, filed.control_modes) == (
        date(2018, 5, 14),
        Decimal("7.6"),
        ["volt_var", "freq_watt"],
    )
