"""Outages and derates of DERs: M8, O5. Told by form, file and program; the clock begins them; the log keeps every act."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.history import acting
from moc.lifecycle import TransitionRefused
from moc.notices.models import Notice
from operations.outages import tasks
from operations.outages.models import DerOutage, LogEntry
from operations.outages.services import ders
from operations.outages.services.ders import Told
from tests.factories.ders import register
from tests.factories.readings import moment
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
API, BASE = "/api/v1/operations/outages/", "/operations/outages/"


def told(der, **said) -> Told:
    given = {"kind": "outage", "cause": "forced", "starts_at": moment(5), "reason": "Inverter failed"} | said
    return Told(der=str(der.uuid), **given)


@pytest.fixture
def mine(world):
    """Three DERs of the first aggregator: D-1 to D-3, of 1 to 3 kW."""
    return register(world, 3)


@pytest.fixture
def filer(world):
    return world.user("aggregator", "filer")


def test_an_outage_is_told_logged_and_over(world, mine, filer):
    (outage,) = ders.report(actor=filer, rows=[told(mine[0])]).taken
    assert (outage.status, outage.edc, outage.reported_by) == ("active", world.edc, filer)
    assert Notice.objects.filter(user=world.user("edc", "administrator"), event="der_outage").count() == 1
    ders.move(actor=filer, outage=outage, name="end")
    outage.refresh_from_db()
    assert outage.status == "ended" and outage.ended_at
    acts = [(row.act, row.before["status"], row.after["status"], row.actor) for row in LogEntry.objects.order_by("id")]
    assert acts == [("outage_told", "in service", "active", filer), ("outage_end", "active", "ended", filer)]
    assert DerOutage.history.model.objects.filter(id=outage.pk).count() == 2
    with pytest.raises(TransitionRefused):
        ders.move(actor=filer, outage=outage, name="end")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"cause": "planned"}, "OUT-PAST"),
        ({"expected_until": moment(60)}, "OUT-ORDER"),
        ({"starts_at": timezone.now() - timedelta(days=401)}, "OUT-OLD"),
        ({"available_kw": Decimal(1)}, "OUT-LEFT"),
        ({"kind": "derate"}, "OUT-LEFT"),
        ({"kind": "derate", "available_kw": Decimal(3)}, "OUT-LEFT"),
    ],
)
def test_what_is_refused(mine, filer, said, code):
    """Each rule with a row that breaks it beside one that keeps it: the good one stands where that is asked for."""
    rows = [told(mine[0], **said), told(mine[2], kind="derate", available_kw=Decimal(1))]
    outcome = ders.report(actor=filer, rows=rows)
    assert [(each.row, each.rule.code) for each in outcome.refused] == [(1, code)] and not DerOutage.objects.exists()
    outcome = ders.report(actor=filer, rows=rows, only_good=True)
    assert [each.der for each in outcome.taken] == [mine[2]] and LogEntry.objects.count() == 1


def test_whose_der_it_is_and_once(world, mine, filer):
    strange = register(world, 1, aggregator="aggregator2", prefix="X")[0]
    outcome = ders.report(actor=filer, rows=[told(strange), told(mine[0]), told(mine[0])], only_good=True)
    assert [(each.row, each.rule.code) for each in outcome.refused] == [(1, "OUT-DER"), (3, "OUT-TWICE")]
    with pytest.raises(NotPermitted):
        ders.report(actor=world.user("edc", "administrator"), rows=[told(mine[1])])
    with pytest.raises(NotPermitted):
        ders.move(actor=world.user("aggregator2", "filer"), outage=outcome.taken[0], name="end")
    again = {"aggregator": world.aggregator, "edc": world.edc, "kind": "outage", "cause": "forced", "status": "active", "reason": "Again"}
    with pytest.raises(IntegrityError, match="outage_one_at_a_time"), transaction.atomic(), acting(None, REASON):
        DerOutage.objects.create(der=mine[0], starts_at=moment(1), **again)


def test_a_planned_one_begins_by_the_clock(mine, filer):
    later = timezone.now() + timedelta(hours=2)
    (outage,) = ders.report(actor=filer, rows=[told(mine[0], cause="planned", starts_at=later)]).taken
    assert outage.status == "planned" and tasks.begin_due() == 0
    with acting(None, REASON):
        DerOutage.objects.update(starts_at=moment(1))
    assert tasks.begin_due() == 1 and tasks.begin_due() == 0
    assert list(LogEntry.objects.order_by("id").values_list("act", flat=True)) == ["outage_told", "outage_begin"]


def test_the_log_is_only_added_to(mine, filer):
    ders.report(actor=filer, rows=[told(mine[0])])
    for change in (lambda rows: rows.update(reason="Another"), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError, match="never lost"), transaction.atomic():
            change(LogEntry.objects.all())


def test_by_form_and_by_file(world, mine, client_of):
    client = client_of(world.user("aggregator", "filer"))
    when = f"{timezone.localtime(moment(5)):%Y-%m-%dT%H:%M}"
    given = {"der": "D-1", "kind": "outage", "cause": "forced", "starts_at": when, "reason": "Inverter failed"}
    page = client.post(f"{BASE}new/", given)
    assert page.status_code == 302 and b"Inverter failed" in client.get(page["Location"]).content
    assert client.post(f"{BASE}new/", given).status_code == 422 and client.post(f"{BASE}new/", given | {"der": "X"}).status_code == 422
    head = "der,kind,cause,starts_at,available_kw,reason"
    good = f"{mine[1].uuid},derate,curtailed,{when},1,Feeder full"
    for rows, status in ((f"{good}\n{mine[0].uuid},outage,forced,{when},,Again", 422), ("nobody,outage", 422), (good, 302)):
        file = SimpleUploadedFile("outages.csv", f"{head}\n{rows}\n".encode(), "text/csv")
        assert client.post(f"{BASE}file/", {"file": file}).status_code == status
    assert DerOutage.objects.count() == 2
    assert b"D-2" in client_of(world.user("edc", "viewer")).get(BASE).content
    assert b"D-2" not in client_of(world.user("aggregator2", "administrator")).get(BASE).content


def test_by_program(world, mine, api_of):
    api, at = api_of(world.user("aggregator", "administrator")), moment(5).isoformat()
    one = {"der": str(mine[0].uuid), "kind": "outage", "cause": "forced", "starts_at": at, "reason": "Inverter failed"}
    whole = api.post(API, {"outages": [one, one]}, format="json")
    assert (whole.status_code, whole.json()["code"]) == (409, "OUT-TWICE") and not DerOutage.objects.exists()
    answer = api.post(API, {"outages": [one, one], "only_good": True}, format="json").json()
    assert [each["code"] for each in answer["refused"]] == ["OUT-TWICE"] and len(answer["taken"]) == 1
    csv = f"der,kind,cause,starts_at,reason\n{mine[1].uuid},outage,forced,{at},Inverter failed\n"
    assert api.post(API, csv, content_type="text/csv").status_code == 201
    assert api.post(f"{API}{answer['taken'][0]}/transitions/end/", {}, format="json", HTTP_IF_MATCH="*").json()["status"] == "ended"
    assert [row["act"] for row in api.get("/api/v1/operations/log/").json()["results"]] == ["outage_end", "outage_told", "outage_told"]


def test_a_list_is_narrowed_to_a_der_by_its_aggregators_id_or_its_own(world, mine, filer, client_of, api_of):
    """Either id finds it, on the page and by program; another aggregator's DER of the same name is told apart by the id only (M8, N8)."""
    theirs = register(world, 1, aggregator="aggregator2")[0]
    outages = ders.report(actor=filer, rows=[told(mine[0]), told(mine[1])]).taken
    outages += ders.report(actor=world.user("aggregator2", "filer"), rows=[told(theirs)]).taken
    page, api = client_of(world.user("edc", "viewer")), api_of(world.user("aggregator", "administrator"))
    for asked, expected in ((mine[0].external_id, {0, 2}), (mine[0].uuid, {0}), (f" {mine[1].external_id} ", {1}), ("D-9", set())):
        shown = page.get(BASE, {"der": asked}).content.decode()
        assert {n for n, each in enumerate(outages) if str(each.uuid) in shown} == expected, asked
    found = api.get(API, {"der": mine[0].external_id}).json()["results"]
    assert [row["id"] for row in found] == [str(outages[0].uuid)]


def test_what_is_no_id_of_a_record_says_where_its_id_is(world, mine, filer, client_of):
    (outage,) = ders.report(actor=filer, rows=[told(mine[0])]).taken
    page = client_of(filer)
    assert "Copy the address of the record" in page.get("/operations/responses/?outage=D-1").content.decode()
    pasted = page.get("/operations/responses/", {"outage": f"https://example.org{BASE}{outage.uuid}/"})
    assert pasted.context["filterset"].form.cleaned_data["outage"] == outage.uuid


def test_a_file_is_answered_with_every_fault_of_every_row(mine, filer, client_of, api_of, world):
    """Each with its row, its field, the value, the rule and the remedy, those of reading and of rules at once; none is taken (M8)."""
    when, page = f"{timezone.localtime(moment(5)):%Y-%m-%d %H:%M}", client_of(filer)
    rows = f"""der,kind,cause,starts_at,expected_until,available_kw,reason,notified
D-1,outage,forced,{when},,,Inverter failed,
D-2,outge,because,banana,tomorrow,-1,,{"x" * 201}
D-9,outage,forced,{when},,NaN,Failed,,too,much
D-9,outage,forced,{when},,,Failed,
D-2,outage,forced,{when},2001-01-01,,Failed,
D-3,outage,forced,1890-01-01,,,Failed,
D-3,derate,forced,{when},,7,Failed,
"""
    answer = page.post(f"{BASE}file/", {"file": SimpleUploadedFile("outages.csv", rows.encode(), "text/csv")})
    said = answer.context["form"].errors["file"]
    starts = [
        "None of the rows was taken.",
        "Row 2, kind: “outge”: There is no such kind. Write outage, or derate.",
        "Row 2, cause: “because”: There is no such cause. Write planned, forced or curtailed.",
        "Row 2, starts_at: “banana”: When it begins is missing, or is no date and time. Write it as",
        "Row 2, expected_until: “tomorrow”: This is no date and time. Write it as",
        "Row 2, available_kw: “-1”: What is still available is no power in kW. Write a number",
        "Row 2, reason: The reason is missing, or too long. Say why",
        "Row 2, notified: “xxx",
        "Row 3: “too, much”: The row has more values than there are columns. Put",
        "Row 3, available_kw: “NaN”: What is still available",
        "Row 4, der: “D-9”: No registered DER of yours has this id. Send",
        "Row 5, expected_until: “2001-01-01 00:00”: It is expected back before it begins. Give a later",
        "Row 6, starts_at: “1890-01-01 00:00”: It begins earlier than readings are taken. Give a moment within",
        "Row 7, available_kw: “7 kW”: What is still available is not what the kind says. A derate leaves less",
    ]
    assert answer.status_code == 422 and len(said) == len(starts)
    assert all(sentence.startswith(start) for sentence, start in zip(said, starts, strict=True)), said
    assert not DerOutage.objects.exists()
    api = api_of(world.user("aggregator", "administrator"))
    refused = api.post(API, rows, content_type="text/csv").json()
    assert "Row 7, available_kw" in refused["detail"] and refused["code"] == "OUT-KIND"
    body = {"der": str(mine[0].uuid), "kind": "outage", "cause": "planned", "starts_at": moment(5).isoformat(), "reason": "Works"}
    answer = api.post(API, {"outages": [body], "only_good": True}).json()
    assert [(each["row"], each["field"], each["code"]) for each in answer["refused"]] == [(1, "starts_at", "OUT-PAST")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"der,colour\nD-1,red\n", "columns that are not known: colour. Send up to 10,000 rows of der, kind"),
        (b"der,kind\n", "The file has 0 rows of outages."),
        (b"\xff\xfe", "The file is no CSV in UTF-8."),
        (b"der\nD\0", "The file is no CSV in UTF-8."),
    ],
)
def test_a_file_of_no_outages_says_why(filer, client_of, content, said):
    answer = client_of(filer).post(f"{BASE}file/", {"file": SimpleUploadedFile("outages.csv", content, "text/csv")})
    assert answer.status_code == 422 and said in answer.content.decode()


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"starts_at": "1890-01-01T00:00"}, "starts_at", "It begins earlier than readings are taken."),
        ({"cause": "planned"}, "starts_at", "A planned outage begins in the past. Tell a forced one, or a later moment."),
        ({"expected_until": "2001-01-01T00:00"}, "expected_until", "It is expected back before it begins. Give a later moment"),
        ({"available_kw": "5"}, "available_kw", "an outage leaves nothing."),
        ({"starts_at": "soon"}, "starts_at", "Give a date and time as 2026-11-22 14:30."),
    ],
)
def test_the_form_says_at_its_field_what_is_wrong(mine, filer, client_of, changed, field, said):
    when = f"{timezone.localtime(moment(5)):%Y-%m-%dT%H:%M}"
    given = {"der": "D-1", "kind": "outage", "cause": "forced", "starts_at": when, "reason": "Inverter failed"} | changed
    answer = client_of(filer).post(f"{BASE}new/", given)
    assert list(answer.context["form"].errors) == [field] and said in answer.context["form"].errors[field][0]
    assert answer.status_code == 422 and not DerOutage.objects.exists()
