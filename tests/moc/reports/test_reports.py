"""Reports (N6): what is built is what the database says, under the asker's sight; runs survive, are delivered, and say what they are."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone
from pyarrow import parquet
from python_calamine import CalamineWorkbook

from moc import sight
from moc.access import policy
from moc.access.models import Membership
from moc.documents import services as documents
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.jobs.models import Job
from moc.notices.models import Notice
from moc.reports import reports, services, specs, tasks
from moc.reports.datasets import all_datasets, all_ready
from moc.reports.models import ReportDefinition, ReportRun
from moc.webhooks.models import Event
from registry.ders.models import Der
from tests.factories.ders import register
from tests.factories.filings import store_in
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
BY_TYPE = {"group": ["der_type"], "measures": [{"of": "count"}, {"of": "sum", "item": "nameplate_ac_kw"}]}


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    store_in(settings, tmp_path)


@pytest.fixture
def ders(world) -> list[Der]:
    """Five of photovoltaics and three of wind at the first utility, two at the second, of the other aggregator."""
    found = register(world, 5)
    found += register(world, 3, prefix="W", der_type="wind", customer_sector="commercial")
    return found + register(world, 2, prefix="Z", edc="edc2", aggregator="aggregator2")


def computed(user, source: str, spec: dict) -> list[list]:
    """The rows of a report under the user's sight."""
    with sight.seeing(policy.sight_of(user)):
        return [list(row) for row in reports.compute(user, source, spec).rows]


def asked(statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def report(world, role: str = "viewer", organization: str = "edc", **facts) -> ReportDefinition:
    given = {"name": "Technologies", "source": "ders", "spec": BY_TYPE, "format": "csv", "every": "", "ways": ["inbox"]}
    actor = world.user(organization, role)
    return services.define(actor=actor, organization=world.organizations[organization], **given | facts)


def ran(made: ReportRun) -> ReportRun:
    """The run, written as a worker would."""
    tasks.write(made.job_id)
    made.refresh_from_db()
    return made


def content(made: ReportRun) -> bytes:
    return b"".join(documents.plain(made.document))


def test_groups_and_measures_are_those_of_bare_sql(world, ders):
    """Count, sum, average, share and percentile, computed a second way."""
    measures = [
        {"of": "count"},
        {"of": "sum", "item": "nameplate_ac_kw"},
        {"of": "average", "item": "nameplate_ac_kw"},
        {"of": "share", "item": "nameplate_ac_kw"},
        {"of": "percentile", "item": "nameplate_ac_kw", "p": 90},
    ]
    rows = computed(world.all_seeing(), "ders", {"group": ["edc__name", "der_type"], "measures": measures})
    bare = asked(
        """SELECT o.name, CASE d.der_type WHEN 'wind' THEN 'Wind' ELSE 'Photovoltaic' END, count(*), sum(nameplate_ac_kw),
            avg(nameplate_ac_kw), (100 * sum(nameplate_ac_kw) / (SELECT sum(nameplate_ac_kw) FROM registry_der))::float8,
            percentile_cont(0.9) WITHIN GROUP (ORDER BY nameplate_ac_kw)
        FROM registry_der AS d JOIN moc_organization AS o ON o.id = d.edc_id GROUP BY 1, 2 ORDER BY 1, 2"""
    )
    assert len(rows) == 3
    for row, expected in zip(rows, bare, strict=True):
        assert row[:5] == list(expected[:5])
        assert row[5:] == pytest.approx([float(value) for value in expected[5:]])


def test_grouping_is_one_statement(world, ders, django_assert_num_queries):
    spec = {"group": ["edc__name", "county__name", "der_type"], "measures": [{"of": "count"}, {"of": "share"}]}
    user = world.user("rerra", "auditor")
    policy.reach(user, "export")
    with django_assert_num_queries(3):  # the groups; the names of utilities; those of counties
        computed(user, "ders", spec)


def test_everybody_sees_the_own_rows_only(world, ders):
    """N3: a report shows what its asker may export, by policy and by row-level security."""
    numbers = {
        ("aggregator", "viewer"): 8,
        ("aggregator2", "viewer"): 2,
        ("edc", "viewer"): 8,
        ("edc2", "auditor"): 2,
        ("rerra", "auditor"): 8,
    }
    for (organization, role), count in numbers.items():
        rows = computed(world.user(organization, role), "ders", {"columns": ["external_id"]})
        assert len(rows) == count, organization
    assert computed(world.nobody, "ders", {"columns": ["external_id"]}) == []


def test_a_report_of_one_organisation_holds_no_rows_of_another(world, ders):
    """Who has seats in two organisations writes for one what that one sees."""
    user = world.user("edc", "viewer")
    with acting(None, REASON):
        Membership.objects.create(user=user, organization=world.edc2, role="viewer")
    made = ran(services.run(actor=user, definition=report(world, spec={"columns": ["external_id"]})))
    assert made.row_count == 8 and b"Z-1" not in content(made)


@pytest.mark.parametrize(
    ("item", "test", "value", "count"),
    [
        ("der_type", "is", "wind", 3),
        ("der_type", "is_not", "wind", 5),
        ("external_id", "contains", "w-", 3),
        ("nameplate_ac_kw", "at_least", "3", 4),
        ("nameplate_ac_kw", "at_most", "1.5", 2),
        ("commissioned_on", "from", "2018-05-14", 8),
        ("commissioned_on", "before", "2018-05-14", 0),
        ("registered_on", "last_days", "30", 0),
        ("retail_programs", "has", "NEM", 0),
        ("nameplate_dc_kw", "empty", "", 8),
        ("nameplate_dc_kw", "given", "", 0),
    ],
)
def test_filters(world, ders, item, test, value, count):
    spec = {"columns": ["external_id"], "filters": [{"item": item, "test": test, "value": value}]}
    assert len(computed(world.user("edc", "viewer"), "ders", spec)) == count


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"columns": ["password"]},
        {"columns": ["external_id"], "group": ["der_type"]},
        {"group": ["retail_programs"], "measures": [{"of": "count"}]},
        {"group": ["commissioned_on"], "measures": [{"of": "count"}]},
        {"group": ["der_type"], "measures": [{"of": "sum", "item": "der_type"}]},
        {"group": ["der_type"], "measures": [{"of": "percentile", "item": "nameplate_ac_kw", "p": 101}]},
        {"columns": ["external_id"], "filters": [{"item": "nameplate_ac_kw", "test": "is", "value": "NaN"}]},
        {"columns": ["external_id"], "filters": [{"item": "der_type", "test": "at_least", "value": "1"}]},
        {"columns": ["external_id"], "sort": "owner__owner_name"},
        {"columns": ["external_id"], "chart": "bars"},
        {"columns": ["external_id"], "as_of": "2099-01-01"},
        {"columns": ["external_id"], "limit": 1},
        {"group": ["der_type"], "measures": [{"of": "count", "by": "x"}]},
    ],
)
def test_what_a_dataset_cannot_answer_is_refused(spec):
    with pytest.raises(UserError):
        specs.read(spec, all_datasets()["ders"])


def test_sorting_puts_the_unknown_last(world, ders):
    spec = BY_TYPE | {"sort": "-m2"}
    assert [row[0] for row in computed(world.user("edc", "viewer"), "ders", spec)] == ["Photovoltaic", "Wind"]
    rows = [["b", None], ["a", 2], ["c", 5]]
    reports._sort(rows, specs.read(BY_TYPE | {"sort": "-m1"}, all_datasets()["ders"]))
    assert [row[0] for row in rows] == ["c", "a", "b"]
    reports._sort(rows, specs.read(BY_TYPE | {"sort": "m1"}, all_datasets()["ders"]))
    assert [row[0] for row in rows] == ["a", "c", "b"]


def test_as_of_a_past_day(world, ders):
    """What was decommissioned since stands as it stood."""
    spec = {"group": ["status"], "measures": [{"of": "count"}]}
    user = world.user("edc", "viewer")
    before = timezone.now()
    with acting(None, REASON):
        Der.objects.filter(external_id="D-1").update(status="inactive")
    assert computed(user, "ders", spec) == [["Active", 7], ["Inactive", 1]]
    assert computed(user, "ders", spec | {"as_of": before.isoformat()}) == [["Active", 8]]


def test_every_dataset_answers_every_column(world, ders):
    for code, dataset in all_datasets().items():
        assert len({item.label for item in dataset.items.values()}) == len(dataset.items), code
        computed(world.user("rerra", "auditor"), code, {"columns": list(dataset.items)})
        for item in dataset.items.values():
            if item.groups:
                period = ":month" if item.kind in ("date", "moment") else ""
                computed(world.user("rerra", "auditor"), code, {"group": [item.name + period], "measures": [{"of": "count"}]})


def test_every_recorded_dataset_answers_as_of_a_moment(world, ders):
    """As of now what stands now, with every column; what holds during days on a day that it holds, and on none before (N4)."""
    user, past = world.user("rerra", "auditor"), (timezone.localdate() - timedelta(days=400)).isoformat()
    for name, found in all_datasets().items():
        computed_only = found.model.__name__ in {"BrokenRule", "StagedDer", "DerState", "RosterFinding"}
        assert found.keeps_versions != computed_only, name
        if found.keeps_versions:
            assert len(list(found.visible(user, timezone.now()))) == len(list(found.visible(user)))
            computed(user, name, {"columns": list(found.items), "as_of": past})
        if found.has_valid_time:
            assert computed(user, name, {"measures": [{"of": "count"}], "valid_on": "1901-01-01"}) == []
    held = {"columns": ["external_id"], "valid_on": timezone.localdate().isoformat()}
    assert len(computed(user, "tenures", held)) == 8
    with pytest.raises(specs.Unfit, match="valid on that day"):
        computed(user, "ders", {"columns": ["external_id"], "valid_on": past})


def test_a_ready_made_report_as_of_a_past_day(world, ders):
    """Participation before the first DER was nothing; the file says as of when it is."""
    user = world.user("rerra", "auditor")
    now, then = ({"parameters": {"as_of": day}} for day in ("", "2020-01-01"))
    assert sum(row[1] for row in computed(user, "participation-by-technology", now)) == 8
    assert computed(user, "participation-by-technology", then) == []
    for code in ("eia-861-net-metering", "eia-861-non-net-metering", "nerc-mod-032"):
        assert computed(user, code, then) == [], code
    assert len(computed(user, "nerc-mod-032", now)) == 2
    with pytest.raises(UserError, match="as of that day"):
        computed(user, "nerc-mod-032", {"parameters": {"as_of": "2199-01-01"}})
    assert ("As of", "2020-01-01") in services.wording(all_ready()["participation-by-technology"], then)
    assert services.as_of(then) == "2020-01-01"


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "pdf"])
def test_files(world, ders, kind):
    """Each says the same rows; a text that a spreadsheet would compute is text."""
    with acting(None, REASON):
        Der.objects.filter(external_id="D-1").update(model="=1+1")
    columns = {"columns": ["external_id", "nameplate_ac_kw", "commissioned_on", "model"], "sort": "external_id"}
    made = ran(services.run(actor=world.user("edc", "viewer"), definition=report(world, spec=columns), format=kind))
    assert (made.row_count, made.document.owner_id) == (8, world.edc.pk)
    data = content(made)
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
        assert rows[:2] == [["Your id", "Nameplate AC (kW)", "Commissioned on", "Model"], ["D-1", "1.000", "2018-05-14", "'=1+1"]]
    elif kind == "xlsx":
        rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
        assert rows[1][:2] == ["D-1", 1.0] and len(rows) == 9
    elif kind == "parquet":
        table = parquet.read_table(io.BytesIO(data))
        assert table.column("Nameplate AC (kW)").to_pylist()[0] == Decimal("1.000000000") and table.num_rows == 8
        assert table.schema.metadata[b"about.title"] == b"Technologies"
    else:
        assert data.startswith(b"%PDF") and len(data) > 5_000


def test_a_pdf_says_what_it_is(world, ders, monkeypatch):
    """Parameters, moment, seal, run and chart stand in it."""
    printed = []
    monkeypatch.setattr("moc.pdf.to_pdf", lambda html, given=None: printed.append(html) or b"%PDF")
    made = ran(services.run(actor=world.user("edc", "viewer"), definition=report(world, spec=BY_TYPE | {"chart": "bars"}), format="pdf"))
    for words in ("Grouped by", "Technology", "Seal", "nothing was sealed yet", str(made.uuid), "<rect", "As of"):
        assert words in printed[0], words


def test_a_run_whose_worker_died_is_written_once(world, ders):
    """The sweep has it tried again; a second message changes nothing."""
    made = services.run(actor=world.user("edc", "viewer"), definition=report(world))
    Job.objects.filter(pk=made.job_id).update(status="running", attempts=1, heartbeat_at=timezone.now() - timedelta(minutes=5))
    from moc.jobs.services import sweep

    assert sweep() == 1
    first = ran(made).document_id
    assert first and ran(made).document_id == first
    assert Job.objects.get(pk=made.job_id).status == "done"


def test_a_cancelled_run_leaves_no_file(world, ders):
    made = services.run(actor=world.user("edc", "viewer"), definition=report(world))
    Job.objects.filter(pk=made.job_id).update(cancel_requested=True)
    assert ran(made).document is None
    assert Job.objects.get(pk=made.job_id).status == "cancelled"


def test_a_schedule_runs_and_delivers_by_every_way(world, ders):
    """Inbox, e-mail and webhook; the next day is set before the run, so that it runs once."""
    made = report(world, every="day", ways=["inbox", "email", "webhook"])
    assert timezone.localtime(made.next_at).hour == services.HOUR
    assert services.run_due(made.next_at) == 1 and services.run_due(made.next_at) == 0
    run = ReportRun.objects.get(definition=made)
    assert ran(run).scheduled and run.user == made.user
    holders = set(policy.holders("run_reports", world.edc))
    told = Notice.objects.filter(event="report_ready")
    assert {notice.user for notice in told} == holders and all(notice.by_email for notice in told)
    assert Event.objects.filter(kind="report_ready", organization=world.edc).count() == 1


def test_a_schedule_ends_with_its_authors_rights(world):
    made = report(world, every="week")
    with acting(None, REASON):
        Membership.objects.filter(user=made.user).update(is_active=False)
    assert services.run_due(made.next_at) == 0
    made.refresh_from_db()
    assert (made.every, made.next_at) == ("", None)


@pytest.mark.parametrize(("every", "day"), [("day", "2026-11-22"), ("week", "2026-11-23"), ("month", "2026-12-01")])
def test_the_next_run(every, day):
    moment = timezone.make_aware(timezone.datetime(2026, 11, 21, 15))
    assert str(timezone.localdate(services.following(every, moment))) == day


def test_who_may_see_change_and_run_it(world):
    """Shared ones are the organisation's; others their author's own; another organisation's nobody's."""
    own, shared = report(world, is_shared=False, name="Mine"), report(world)
    colleague, stranger = world.user("edc", "auditor"), world.user("edc2", "administrator")
    seen = lambda user: set(ReportDefinition.objects.visible_to(user, "run_reports"))  # noqa: E731
    assert (seen(colleague), seen(own.user), seen(stranger)) == ({shared}, {own, shared}, set())
    services.change(actor=colleague, definition=shared, spec=BY_TYPE, name="Ours", every="", ways=[])
    for actor, definition in ((colleague, own), (stranger, shared)):
        with pytest.raises(policy.NotPermitted):
            services.run(actor=actor, definition=definition)
    assert [version.name for version in shared.history.order_by("history_id")] == ["Technologies", "Ours"]


def test_a_retired_report_does_not_run(world):
    made = report(world, every="day")
    services.move(actor=made.user, definition=made, name="retire")
    made.refresh_from_db()
    assert services.run_due(timezone.now() + timedelta(days=40)) == 0
    with pytest.raises(Conflict):
        services.run(actor=made.user, definition=made)
    services.move(actor=made.user, definition=made, name="restore")
    made.refresh_from_db()
    assert made.next_at is not None


def test_build_preview_save_and_run_in_the_portal(world, ders, client_of):
    """A report from idea to file, without a script."""
    client = client_of(world.user("edc", "viewer"))
    form = {
        "organization": world.edc.pk,
        "group_1": "der_type",
        "measure_1": "sum",
        "of_1": "nameplate_ac_kw",
        "chart": "bars",
        "format": "csv",
    }
    page = client.post("/reports/new/ders/", form | {"preview": "on"})
    assert page.status_code == 200 and "Photovoltaic" in page.text and "moc-chart" in page.text
    assert not ReportDefinition.objects.exists()
    refused = client.post("/reports/new/ders/", form | {"of_1": "", "name": "Capacity"})
    assert refused.status_code == 422
    saved = client.post("/reports/new/ders/", form | {"name": "Capacity", "is_shared": "on", "every": "month", "ways": ["inbox"]})
    assert saved.status_code == 302
    assert "Capacity" in client.get("/reports/").text
    run = client.post(f"{saved['Location']}run/", {"format": "xlsx"})
    ran(ReportRun.objects.get())
    assert ".xlsx" in client.get(run["Location"]).text
    changed = client.get(f"{saved['Location']}change/").text
    assert 'value="der_type" selected' in changed


def test_ready_made_reports_run_and_are_kept(world, ders, client_of, api_of):
    client = client_of(world.user("rerra", "auditor"))
    for code in all_ready():
        assert client.get(f"/reports/ready-made/{code}/").status_code == 200
        page = client.post(f"/reports/ready-made/{code}/", {"organization": world.rerra.pk, "format": "csv", "preview": "on"})
        assert page.status_code == 200, code
    answer = api_of(world.user("rerra", "auditor")).post(
        "/api/v1/report-runs/", {"organization": "rerra", "source": "participation-by-technology", "format": "csv"}
    )
    assert answer.status_code == 202
    assert ran(ReportRun.objects.get()).row_count == 2
    with pytest.raises(UserError):
        services.run_ready(actor=None, organization=world.rerra, source="eia-861-net-metering", parameters={"year": "soon"}, format="csv")


def test_the_beat_asks_for_what_is_due(world):
    made = report(world, every="day")
    with acting(None, REASON):
        ReportDefinition.objects.filter(pk=made.pk).update(next_at=timezone.now() - timedelta(minutes=1))
    assert tasks.run_due() == 1


def test_describing_needs_no_seal(world):
    made = SimpleNamespace(source="ders", spec=BY_TYPE, organization="O", user="U", uuid="1", title="T")
    about = services.describe(made, timezone.now(), None)
    assert about["seal"] == "" and ("Grouped by", "Technology") in about["parameters"]
