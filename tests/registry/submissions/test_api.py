"""Filing through the API: bodies of every kind, the status resource, findings, mending, attesting, the whole portfolio again."""

import gzip
import io
import json

import pytest
import xlsxwriter

from registry.ders.models import Der
from registry.participants.services import MASK
from registry.submissions.models import StagedDer, Submission
from tests.registry.submissions.api_world import DECISIONS, REVIEWS, SUBMISSIONS, file_rows, reviewed, row, run, store_in, submit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def machine(world, api_of):
    return api_of(world.machine)


def ndjson(rows: list[dict]) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in rows)


def csv(rows: list[dict]) -> bytes:
    return "\n".join([",".join(rows[0]), *(",".join(f'"{value}"' for value in each.values()) for each in rows)]).encode()


def xlsx(rows: list[dict]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate([list(rows[0]), *(list(each.values()) for each in rows)]):
            sheet.write_row(number, 0, cells)
    return file.getvalue()


BODIES = {
    "application/json": lambda rows: json.dumps(rows).encode(),
    "application/x-ndjson": ndjson,
    "text/csv": csv,
    "text/csv; charset=utf-8": csv,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": xlsx,
    "application/gzip": lambda rows: gzip.compress(csv(rows)),
}


@pytest.mark.parametrize("media_type", BODIES)
def test_every_kind_of_body(machine, media_type):
    body = BODIES[media_type]([row(1), row(2)])
    answer = machine.post(f"{SUBMISSIONS}?title=Spring", body, content_type=media_type)
    assert answer.status_code == 202, answer.json()
    assert (answer.json()["status"], answer.json()["source"], answer.json()["title"]) == ("staging", "api", "Spring")
    run(answer["Location"])
    status = machine.get(answer["Location"]).json()
    assert (status["status"], status["job"]["status"]) == ("draft", "done")
    assert status["counts"] == {"rows": 2, "good": 2, "bad": 0, "warned": 0, "changes": {"new": 2}}


def test_a_form_with_a_file(machine):
    file = io.BytesIO(csv([row(1)]))
    file.name = "spring.csv"
    answer = machine.post(SUBMISSIONS, {"file": file, "title": "Spring"}, format="multipart")
    assert (answer.status_code, answer.json()["title"]) == (202, "Spring")
    assert run(answer["Location"]).row_count == 1


def test_an_envelope_says_title_and_aggregator(machine):
    location = file_rows(machine, [row(1)], title="Dover, März", aggregator="aggregator")
    assert machine.get(location).json()["title"] == "Dover, März"


def test_a_file_that_cannot_be_read_says_why(machine):
    answer = machine.post(SUBMISSIONS, b'[{"external_id": "A-1"', content_type="application/json")
    assert answer.status_code == 202
    run(answer["Location"])
    status = machine.get(answer["Location"]).json()
    assert (status["status"], status["job"]["status"]) == ("withdrawn", "failed")
    assert "row 1" in status["job"]["error"]


@pytest.mark.parametrize(
    ("body", "media_type", "status"), [(b"", "text/csv", 400), (b"%PDF", "application/pdf", 415), (b"", "application/json", 400)]
)
def test_a_body_that_is_none(machine, body, media_type, status):
    answer = machine.post(SUBMISSIONS, body, content_type=media_type)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert not Submission.objects.exists()


def test_a_body_above_the_limit(machine, settings):
    settings.MOC_MAX_UPLOAD_BYTES = 1000
    answer = machine.post(SUBMISSIONS, csv([row(n) for n in range(1, 9)]), content_type="text/csv")
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO-LARGE")
    assert not Submission.objects.exists()


def test_the_same_key_files_once(machine):
    key = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
    first = machine.post(SUBMISSIONS, {"rows": [row(1)]}, headers=key)
    second = machine.post(SUBMISSIONS, {"rows": [row(1)]}, headers=key)
    assert (second.status_code, second["Location"]) == (202, first["Location"])
    other = machine.post(SUBMISSIONS, {"rows": [row(2)]}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY-KEY")
    assert Submission.objects.count() == 1


def test_who_may_not_file(world, api_of):
    for user, status in (
        (world.user("edc", "administrator"), 403),
        (world.user("aggregator", "viewer"), 403),
        (world.nobody, 403),
        (None, 401),
    ):
        assert api_of(user).post(SUBMISSIONS, {"rows": [row(1)]}).status_code == status
    named = api_of(world.machine).post(SUBMISSIONS, {"aggregator": "aggregator2", "rows": [row(1)]})
    assert (named.status_code, named.json()["errors"][0]["field"]) == (400, "aggregator")
    assert not Submission.objects.exists()


def test_findings_say_row_column_value_and_remedy(machine):
    location = file_rows(machine, [row(1), row(2, nameplate_ac_kw="seven"), row(3, customer_sector="")])
    status = machine.get(location).json()
    assert status["counts"]["bad"] == 2
    assert {found["code"] for found in status["findings_by_rule"]} >= {"FILE-NUMBER"}
    found = machine.get(f"{location}findings/").json()["results"]
    number = next(each for each in found if each["code"] == "FILE-NUMBER")
    assert (number["row"], number["column"], number["value"], number["severity"]) == (2, "nameplate_ac_kw", "seven", "error")
    assert number["sentence"] and number["remedy"]
    page = machine.get(f"{location}findings/?page_size=1").json()
    assert page["results"] + machine.get(page["next"]).json()["results"] == found[:2]


def test_a_row_is_mended_in_place(world, machine, api_of):
    location = file_rows(machine, [row(1), row(2, nameplate_ac_kw="seven")])
    address = f"{location}rows/2/"
    tag = machine.get(address)["ETag"]
    assert machine.patch(address, {"nameplate_ac_kw": 8}).status_code == 428
    assert machine.patch(address, {"nameplate_ac_kw": 8}, headers={"If-Match": '"0-other"'}).status_code == 412
    wrong = machine.patch(address, {"nameplate_ac_kw": "eight", "colour": "red"}, headers={"If-Match": tag})
    assert wrong.status_code == 400
    unknown = api_of(world.user("aggregator", "viewer")).patch(address, {"nameplate_ac_kw": 8}, headers={"If-Match": "*"})
    assert unknown.status_code == 403
    done = machine.patch(address, {"nameplate_ac_kw": 8, "owner_name": "B. Example"}, headers={"If-Match": tag})
    assert (done.status_code, done.json()["nameplate_ac_kw"], done.json()["owner"]["owner_name"]) == (200, 8, MASK)
    assert done["ETag"] != tag
    assert machine.get(location).json()["counts"]["bad"] == 0
    assert machine.delete(address, headers={"If-Match": done["ETag"]}).status_code == 204
    assert machine.get(address).status_code == 404


def test_corrected_rows_replace_by_external_id(machine):
    location = file_rows(machine, [row(1), row(2, nameplate_ac_kw="seven")])
    tag = machine.get(location)["ETag"]
    assert machine.post(f"{location}rows/", [row(2)]).status_code == 428
    assert machine.post(f"{location}rows/", [row(2)], headers={"If-Match": '"1"'}).status_code == 412
    answer = machine.post(f"{location}rows/", [row(2)], headers={"If-Match": tag})
    assert (answer.status_code, answer["Location"]) == (202, f"http://testserver{location}" if location.startswith("/") else location)
    run(answer["Location"])
    status = machine.get(location).json()
    assert (status["counts"]["rows"], status["counts"]["bad"]) == (2, 0)
    assert {each["external_id"] for each in machine.get(f"{location}rows/?nameplate_ac_kw_min=7").json()["results"]} == {"A-1", "A-2"}


def test_owners_are_for_those_who_may_see_them(world, machine, api_of):
    location = file_rows(machine, [row(1)])
    assert machine.get(f"{location}rows/").json()["results"][0]["owner"]["edc_account_no"] == MASK
    assert api_of(world.user("aggregator", "viewer")).get(f"{location}rows/").json()["results"][0]["owner"] is None


def test_a_draft_is_the_aggregators_alone(world, machine, api_of):
    location = file_rows(machine, [row(1)])
    for user in (world.user("edc", "administrator"), world.machine2, world.nobody):
        assert api_of(user).get(location).status_code == 404
        assert api_of(user).get(f"{location}rows/").status_code == 404


def test_submitting_is_attested(world, machine, api_of):
    location = file_rows(machine, [row(1), row(2, nameplate_ac_kw="seven")])
    tag = machine.get(location)["ETag"]
    filer = machine.post(f"{location}transitions/submit/", {"attestation_version": "1"}, headers={"If-Match": tag})
    assert filer.status_code == 403
    wrong = submit(world, api_of, location, attestation_version="never")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "ATTESTATION")
    bad = submit(world, api_of, location)
    assert (bad.status_code, bad.json()["code"]) == (422, "ROWS-WITH-ERRORS")
    done = submit(world, api_of, location, only_good=True)
    assert (done.status_code, done.json()["status"], done.json()["counts"]["rows"]) == (200, "in_review", 1)
    rest = next(each for each in machine.get(SUBMISSIONS).json()["results"] if each["continues"])
    assert (rest["status"], rest["row_count"], rest["continues"]) == ("draft", 1, done.json()["id"])


def test_withdrawing_needs_a_reason(machine):
    location = file_rows(machine, [row(1)])
    silent = machine.post(f"{location}transitions/withdraw/", {}, headers={"If-Match": "*"})
    assert (silent.status_code, silent.json()["code"]) == (422, "REASON")
    done = machine.post(f"{location}transitions/withdraw/", {"reason": "Sold"}, headers={"If-Match": "*"})
    assert (done.status_code, done.json()["status"]) == (200, "withdrawn")
    again = machine.post(f"{location}transitions/withdraw/", {"reason": "Sold"}, headers={"If-Match": "*"})
    assert (again.status_code, again.json()["code"]) == (409, "LIFECYCLE")


def test_the_whole_portfolio_again_makes_only_differences_into_rows_to_review(world, machine, api_of):
    review = reviewed(world, api_of, [row(n) for n in range(1, 5)])
    answer = api_of(world.user("edc", "reviewer")).post(f"{review}decisions/", {"kind": "approve", "filter": {}})
    assert (answer.status_code, answer.json()["row_count"]) == (201, 4)
    assert Der.objects.count() == 4

    again = [row(1), row(2), row(3, firmware="2.0"), row(4), row(5)]
    location = file_rows(machine, again)
    assert machine.get(location).json()["counts"]["changes"] == {"unchanged": 3, "changed": 1, "new": 1}
    done = submit(world, api_of, location).json()
    assert done["reviews"][0]["row_count"] == 2
    rows = api_of(world.user("edc", "reviewer")).get(f"{REVIEWS}{done['reviews'][0]['id']}/rows/").json()["results"]
    assert [(each["external_id"], each["change"]) for each in rows] == [("A-3", "notice"), ("A-5", "new")]

    same = submit(world, api_of, file_rows(machine, [row(1), row(2)])).json()
    assert (same["status"], same["reviews"]) == ("completed", [])
    assert Der.objects.get(external_id="A-1").history.count() == 1
    assert StagedDer.objects.filter(change="unchanged").count() == 5


def test_the_list_is_filtered(world, machine):
    file_rows(machine, [row(1)], title="First")
    file_rows(machine, [row(2)], title="Second")
    assert [each["title"] for each in machine.get(SUBMISSIONS).json()["results"]] == ["Second", "First"]
    assert [each["title"] for each in machine.get(f"{SUBMISSIONS}?title=fir").json()["results"]] == ["First"]
    assert machine.get(DECISIONS).json()["results"] == []
