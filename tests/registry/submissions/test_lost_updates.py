"""A change that was made from an older version is refused, with both versions shown: portal forms, API and workplace (N11, N13)."""

import re

import pytest
from django.urls import reverse

from moc.access.models import Organization
from moc.history import acting
from registry.submissions.forms.rows import STEPS
from registry.submissions.models import Submission
from registry.submissions.services import filing, withdrawing
from tests.factories.filings import row, staged, store_in, submitted, table, upload
from tests.registry.submissions.api_world import file_rows

pytestmark = pytest.mark.django_db
NAMEPLATE = STEPS[1].slug


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def filer(world, client_of):
    return client_of(world.user("aggregator", "filer"))


@pytest.fixture
def draft(world) -> Submission:
    return staged(world, [row(1), row(2)])


def page(name: str, *args) -> str:
    return reverse(f"registry:{name}", args=args)


def opened(html: str, action: str = "") -> str:
    """The version that a page's form carries; of the form with that action, when a page has several."""
    forms = re.findall(r"<form[^>]*>.*?</form>", html, re.DOTALL)
    found = [form for form in forms if "opened_version" in form and (not action or action in form)]
    return re.search(r'name="opened_version" value="(\w+)"', found[0])[1]


def typed(client, url: str) -> dict:
    """What a browser would send back unchanged."""
    answer = client.get(url)
    form, sent = answer.context["form"], {}
    for name, field in form.fields.items():
        value = form.get_initial_for_field(field, name)
        sent[name] = "" if value is None else value
    return sent | {"opened_version": opened(answer.content.decode())}


class TestRow:
    def test_a_row_changed_meanwhile_is_shown_as_it_stands_beside_what_was_typed(self, filer, draft):
        url = page("submission_row_edit", draft.uuid, 2, NAMEPLATE)
        mine, theirs = typed(filer, url), typed(filer, url)
        assert filer.post(url, theirs | {"nameplate_ac_kw": "8.1"}).status_code == 302
        refused = filer.post(url, mine | {"nameplate_ac_kw": "9.2"})
        html = refused.content.decode()
        assert refused.status_code == 422 and "Both versions" in html
        assert [(str(now), str(own)) for _, now, own in refused.context["overtaken"]] == [("8.100", "9.2")]
        assert 'value="9.2"' in html, "what was typed is kept"
        assert str(draft.rows.get(row_number=2).nameplate_ac_kw) == "8.100"
        again = mine | {"nameplate_ac_kw": "9.2", "opened_version": opened(html)}
        assert filer.post(url, again).status_code == 302, "sent again, it is meant"
        assert str(draft.rows.get(row_number=2).nameplate_ac_kw) == "9.200"

    def test_another_step_of_the_same_row_is_no_conflict(self, filer, draft):
        first, second = (page("submission_row_edit", draft.uuid, 2, step.slug) for step in STEPS[:2])
        one, other = typed(filer, first), typed(filer, second)
        assert filer.post(first, one | {"model": "AS-8000"}).status_code == 302
        assert filer.post(second, other | {"nameplate_ac_kw": "8.1"}).status_code == 302
        found = draft.rows.get(row_number=2)
        assert (found.model, str(found.nameplate_ac_kw)) == ("AS-8000", "8.100")

    def test_a_row_changed_meanwhile_is_not_removed(self, filer, draft):
        url, remove = page("submission_row_edit", draft.uuid, 2, NAMEPLATE), page("submission_row_remove", draft.uuid, 2)
        version, sent = opened(filer.get(url).content.decode(), remove), typed(filer, url)
        filer.post(url, sent | {"nameplate_ac_kw": "8.1"})
        answer = filer.post(remove, {"opened_version": version}, follow=True)
        assert b"was changed after you opened it" in answer.content and draft.rows.filter(row_number=2).exists()
        filer.post(remove, {"opened_version": opened(filer.get(url).content.decode(), remove)})
        assert not draft.rows.filter(row_number=2).exists()

    def test_the_api_answers_with_the_row_as_it_stands(self, world, api_of):
        machine = api_of(world.machine)
        address = f"{file_rows(machine, [row(1)])}rows/1/"
        tag = machine.get(address)["ETag"]
        done = machine.patch(address, {"nameplate_ac_kw": 8}, headers={"If-Match": tag})
        refused = machine.patch(address, {"nameplate_ac_kw": 9}, headers={"If-Match": tag})
        assert (refused.status_code, refused["ETag"]) == (412, done["ETag"])
        assert refused.json()["current"]["nameplate_ac_kw"] == 8
        assert machine.patch(address, {"nameplate_ac_kw": 9}, headers={"If-Match": refused["ETag"]}).status_code == 200


class TestSubmission:
    def test_what_changed_since_is_not_attested(self, world, client_of, draft):
        approver, url = client_of(world.user("aggregator", "approver")), page("submission_submit", draft.uuid)
        sent = {"rows": "all", "attestation_version": filing.attestation()[0], "accepted": "on"}
        version = opened(approver.get(url).content.decode())
        filing.remove_row(actor=world.user("aggregator", "filer"), row=draft.rows.get(row_number=2))
        refused = approver.post(url, sent | {"opened_version": version})
        assert refused.status_code == 422
        assert ("Row count", 1, 2) in refused.context["overtaken"], "as it stands, and as it was opened"
        assert Submission.objects.get().status == "draft"
        assert approver.post(url, sent | {"opened_version": opened(refused.content.decode())}).status_code == 302
        assert Submission.objects.get().status == "in_review"

    def test_a_withdrawal_is_meant_for_what_was_seen(self, world, filer, draft):
        url, move = page("submission_detail", draft.uuid), page("submission_transition", draft.uuid, "withdraw")
        version = opened(filer.get(url).content.decode(), move)
        filing.submit(actor=world.user("aggregator", "approver"), submission=draft, attestation_version=filing.attestation()[0])
        answer = filer.post(move, {"reason": "Sold", "opened_version": version}, follow=True)
        assert "Status: now Under utility review, opened with Draft" in answer.content.decode()
        assert Submission.objects.get().status == "in_review"
        filer.post(move, {"reason": "Sold", "opened_version": opened(answer.content.decode(), move)})
        assert Submission.objects.get().status == "withdrawn"

    def test_a_correction_is_for_the_draft_that_was_seen(self, world, filer, draft):
        url = page("submission_correct", draft.uuid)
        version = opened(filer.get(url).content.decode())
        filing.remove_row(actor=world.user("aggregator", "filer"), row=draft.rows.get(row_number=2))
        refused = filer.post(url, {"file": upload(table([row(2, model="AS-8000")])), "opened_version": version})
        assert refused.status_code == 422 and ("Row count", 1, 2) in refused.context["overtaken"]
        assert (draft.rows.count(), Submission.objects.get().status) == (1, "draft")


def test_the_api_moves_the_version_that_was_read(world, api_of):
    submission = submitted(world, [row(1)])
    machine, address = api_of(world.user("aggregator", "filer")), f"/api/v1/registry/submissions/{submission.uuid}/"
    tag = machine.get(address)["ETag"]
    withdrawing.withdraw(actor=world.user("aggregator", "approver"), submission=submission, reason="Sold")
    refused = machine.post(f"{address}transitions/withdraw/", {"reason": "Moved"}, headers={"If-Match": tag})
    assert (refused.status_code, refused.json()["current"]["status"]) == (412, "withdrawn")
    assert machine.get(address)["ETag"] == refused["ETag"]


def test_the_workplace_refuses_a_form_that_was_overtaken(world, client_of):
    admin = client_of(world.user("operator", "administrator"))
    address = reverse("admin:moc_organization_change", args=[world.edc.pk])
    shown = admin.get(address).context
    form = shown["adminform"].form
    inlines = [inline.formset.management_form for inline in shown["inline_admin_formsets"]]
    sent = {f"{each.prefix}-{name}": value for each in inlines for name, value in each.initial.items()}
    sent |= {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()} | {"reason": "A new name"}
    with acting(None, "system: somebody else"):
        Organization.objects.filter(pk=world.edc.pk).update(name="Their name")
    refused = admin.post(address, sent | {"name": "My name"})
    assert refused.status_code == 200 and "now Their name" in refused.content.decode()
    assert Organization.objects.get(pk=world.edc.pk).name == "Their name"
    fresh = admin.get(address).context["adminform"].form
    admin.post(address, sent | {"name": "My name", "opened_version": fresh.initial["opened_version"]})
    assert Organization.objects.get(pk=world.edc.pk).name == "My name"
