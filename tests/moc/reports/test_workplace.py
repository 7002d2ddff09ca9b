"""Reports and rule changes without leaving the workplace: defined, run, fetched; drafted by one person, scheduled by another (N6)."""

import pytest
from django.utils import timezone

from moc.access.models import Membership, User
from moc.history import acting
from moc.reports import tasks
from moc.reports.models import ReportDefinition, ReportRun
from moc.rulesets.models import RuleChange, RuleSet
from tests.factories.ders import register
from tests.factories.filings import store_in

pytestmark = pytest.mark.django_db
ADD = "/admin/moc/reportdefinition/add/"
KEPT = {"name": "Names", "format": "csv", "every": "", "ways": ["inbox"], "is_shared": "on"}


def test_a_report_is_defined_run_and_fetched(world, client_of, settings, tmp_path):
    store_in(settings, tmp_path)
    register(world, 2)
    client = client_of(world.user("rerra", "auditor"))
    choice = client.get(ADD).content.decode()
    assert "?source=ders" in choice and "?source=eia-861-net-metering" in choice
    assert "measure_1" in client.get(f"{ADD}?source=ders").content.decode()
    asked = KEPT | {"source": "ders", "organization": world.rerra.pk, "columns": ["external_id", "edc__name"]}
    made = client.post(ADD, asked)
    definition = ReportDefinition.objects.get()
    assert (made.status_code, made.url) == (302, f"/admin/moc/reportdefinition/{definition.pk}/change/")
    client.post("/admin/moc/reportdefinition/", {"action": "run_now", "_selected_action": [definition.pk]})
    run = ReportRun.objects.get()
    tasks.write(run.job_id)
    run.refresh_from_db()
    link = f"/documents/{run.document.uuid}/"
    assert link in client.get("/admin/moc/reportrun/").content.decode()
    assert b"D-1" in b"".join(client.get(link).streaming_content)


def test_a_report_is_looked_at_before_it_is_saved(world, client_of):
    """On real data, within the own scope, of a dataset and of a ready-made one; nothing is saved; a refusal stands at the form."""
    register(world, 2)
    register(world, 1, prefix="Z", edc="edc2", aggregator="aggregator2")
    client = client_of(world.user("rerra", "auditor"))
    asked = KEPT | {"name": "", "source": "ders", "organization": world.rerra.pk, "columns": ["external_id"], "preview": "Preview"}
    page = client.post(ADD, asked).content.decode()
    assert "<td>D-1</td>" in page and "<td>Z-1</td>" not in page
    ready = KEPT | {"source": "participation-by-technology", "organization": world.rerra.pk, "preview": "Preview"}
    assert "<td>2</td>" in client.post(ADD, ready).content.decode()
    refused = client.post(ADD, asked | {"columns": []}).content.decode()
    assert "The report shows nothing" in refused and not ReportDefinition.objects.exists()


def test_a_ready_made_report_is_kept_and_what_cannot_be_asked_is_told(world, client_of):
    client = client_of(world.user("rerra", "auditor"))
    asked = KEPT | {"source": "eia-861-net-metering", "organization": world.rerra.pk, "year": "2018", "state": "NJ"}
    assert client.post(ADD, asked).status_code == 302
    assert ReportDefinition.objects.get().spec == {"parameters": {"year": "2018", "state": "NJ"}}
    wrong = client.post(ADD, KEPT | {"source": "ders", "organization": world.edc.pk, "columns": ["external_id"]})
    assert wrong.status_code == 200 and ReportDefinition.objects.count() == 1  # not for another organization
    assert client.get(f"{ADD}?source=nothing").status_code == 404
    assert client.post(ADD, {}).status_code in (200, 302) and ReportDefinition.objects.count() == 1


def test_the_law_is_changed_by_two_people_in_the_workplace(world, client_of):
    client = client_of(world.user("rerra", "administrator"))
    add = "/admin/moc/rulechange/add/"
    assert 'value="public_least_customers" selected' in client.get(f"{add}?key=public_least_customers").content.decode()
    asked = {"organization": world.rerra.pk, "key": "public_least_customers", "value": "25", "source": "Order 9"}
    client.post(add, asked | {"starts_on": timezone.localdate().isoformat()})
    change = RuleChange.objects.get()
    move = f"/admin/moc/rulechange/{change.pk}/move/schedule/"
    client.post(move, {"reason": "Order 9", "confirmed": "on"})
    assert not RuleSet.objects.filter(key=change.key, authority="rerra").exists()  # not by the same person
    with acting(None, "tests"):
        second = User.objects.create_user("second@example.org", "not used", name="Second")
        Membership.objects.create(user=second, organization=world.rerra, role="administrator")
    told = client_of(second).post(move, {"reason": "Order 9", "confirmed": "on"}, follow=True).content.decode()
    assert "Schedule: done." in told
    assert RuleSet.objects.get(key=change.key, authority="rerra").value == 25
    assert client_of(world.user("edc", "administrator")).get(add).status_code == 404
