"""Envelope policies by page and by API: every column, by who manages the utility's grid. O4."""

from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from moc.history import acting
from moc.portal.versions import version_of
from moc.rulesets.models import RuleSet
from operations.envelopes.models import EnvelopePolicy
from operations.envelopes.services import life
from operations.outages.models import LogEntry
from operations.sharing import services
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
API, PAGES = "/api/v1/operations/envelope-policies/", "/operations/envelopes/policies/"


@pytest.fixture
def kept(world):
    with acting(None, REASON):
        return EnvelopePolicy.objects.create(edc=world.edc, feeder=world.feeders["edc"][0], method="equal")


def test_a_policy_is_added_and_changed_by_program(world, api_of):
    """O4: left out, a value is the default; a change names the version that it means; the feeder's own goes before the utility's."""
    api = api_of(world.user("edc", "administrator"))
    made = api.post(API, {"edc": "edc", "method": "maximum", "loading_percent": 80}, format="json")
    assert made.status_code == 201 and (made.json()["feeder"], made.json()["v_max_pu"], made.json()["robust"]) == (None, 1.05, True)
    assert set(made.json()) == {"id", "edc", "feeder", *services.FACTS}
    own = api.post(API, {"edc": "edc", "feeder": "F1", "method": "equal"}, format="json").json()
    first, second = world.feeders["edc"][:2]
    assert [life.policy_for(feeder).method for feeder in (first, second)] == ["equal", "maximum"]
    url = f"{API}{own['id']}/"
    assert api.patch(url, {"outage_import_kw": "3.5"}, format="json").status_code == 428
    changed = api.patch(url, {"outage_import_kw": "3.5", "auto_publish": True}, format="json", HTTP_IF_MATCH=api.get(url)["ETag"])
    assert changed.status_code == 200 and (changed.json()["outage_import_kw"], changed.json()["method"]) == (3.5, "equal")
    assert [each["by"] for each in api.get(f"{url}versions/").json()["results"]] == ["Administrator of edc"] * 2
    assert [each["id"] for each in api.get(f"{API}?feeder=F1").json()["results"]] == [own["id"]]


def test_a_policy_is_an_act_of_the_log(world, kept, api_of):
    """O5: who changed what binds a feeder's envelopes, with the values that are others now; saying the same again is no act."""
    api, log = api_of(world.user("edc", "administrator")), "/api/v1/operations/log/"
    for _ in range(2):
        said = {"outage_import_kw": "3.5", "auto_publish": True, "reason": "After the storm"}
        assert api.patch(f"{API}{kept.pk}/", said, format="json", HTTP_IF_MATCH="*").status_code == 200
    entry = LogEntry.objects.get()
    assert (entry.act, entry.actor, entry.feeder) == ("policy_change", world.user("edc", "administrator"), kept.feeder)
    assert entry.reason == "After the storm" == kept.history.latest().history_change_reason
    assert entry.before == {"outage_import_kw": 2.0, "auto_publish": False}
    assert entry.after == {"outage_import_kw": 3.5, "auto_publish": True}
    assert api.post(API, {"edc": "edc", "loading_percent": 80}, format="json").status_code == 201
    added = api.get(f"{log}?act=policy_add").json()["results"]
    assert [(each["subject"], each["before"], each["after"]["loading_percent"]) for each in added] == [
        ("Envelope policy of all feeders", {}, 80)
    ]
    assert api_of(world.user("edc2", "administrator")).get(log).json()["results"] == []


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ({"feeder": "F1"}, "POLICY-ONCE", "Change that one"),
        ({"v_min_pu": "1.06"}, "POLICY-VOLTS", "least voltage below the most"),
        ({"default_export_kw": "-1"}, "POLICY-KW", "export without envelope (kW)"),
        ({"feeder": "F99"}, None, "Leave it out for all its feeders"),
        ({"edc": "nobody"}, None, "no utility of this slug"),
        ({"method": "fair"}, None, "fair"),
        ({"loading_percent": 5}, None, "10"),
        ({"rolling_minutes": 5}, None, "choose that too"),
    ],
)
def test_what_cannot_hold_is_refused_and_says_why(world, kept, api_of, said, code, words):
    refused = api_of(world.user("edc", "administrator")).post(API, {"edc": "edc"} | said, format="json")
    assert 400 <= refused.status_code < 423 and words in refused.content.decode() and EnvelopePolicy.objects.get() == kept
    assert code is None or refused.json()["code"] == code


def test_another_utility_neither_reads_nor_writes_it(world, kept, api_of):
    api = api_of(world.user("edc2", "administrator"))
    assert api.get(API).json()["results"] == [] and api.get(f"{API}{kept.pk}/").status_code == 404
    assert api.post(API, {"edc": "edc"}, format="json").status_code == 403
    assert api.patch(f"{API}{kept.pk}/", {"method": "group"}, format="json", HTTP_IF_MATCH="*").status_code == 404
    assert EnvelopePolicy.objects.get().method == "equal"
    with acting(None, REASON), pytest.raises(services.UserError, match="not of"):
        services.add(actor=world.user("edc2", "administrator"), edc=world.edc2, feeder=world.feeders["edc"][0])


def test_pages(world, kept, client_of):
    """O4: the list, the record with its versions and the rule row that binds it, and the forms; a mistake names the field."""
    client, reader = client_of(world.user("edc", "administrator")), client_of(world.user("rerra", "viewer"))
    runs, listed = client.get("/operations/envelopes/runs/").content.decode(), client.get(PAGES).content.decode()
    assert f"{PAGES}{kept.pk}/" in listed and f"{PAGES}new/" in listed and PAGES in runs
    page = f"{PAGES}{kept.pk}/"
    assert "Usable part of ratings" in client.get(page).content.decode() and b"change/" not in reader.get(page).content
    given = {name: getattr(kept, name) for name in services.FACTS if not isinstance(getattr(kept, name), bool | None)}
    sent = client.post(f"{page}change/", given | {"method": "group", "opened_version": version_of(kept)})
    assert sent.status_code == 422 and 'href="#id_reason"' in sent.content.decode(), "a change says why"
    given["reason"] = "Fairer behind one bottleneck"
    sent = client.post(f"{page}change/", given | {"method": "group", "v_max_pu": "0.9", "opened_version": version_of(kept)})
    assert sent.status_code == 422 and "least voltage below the most" in sent.content.decode()
    sent = client.post(f"{page}change/", given | {"method": "group", "opened_version": version_of(kept)})
    kept.refresh_from_db()
    assert sent.status_code == 302 and (kept.method, kept.robust) == ("group", False)
    sent = client.post(f"{PAGES}new/", given | {"edc": world.edc.pk, "feeder": "F99"})
    assert sent.status_code == 422 and "No feeder of this utility has this code" in sent.content.decode()
    sent = client.post(f"{PAGES}new/", given | {"edc": world.edc.pk, "feeder": ""})
    assert sent.status_code == 302 and EnvelopePolicy.objects.get(feeder=None).edc == world.edc
    during = DateRange(timezone.localdate() - timedelta(days=1), None)
    with acting(None, REASON):
        RuleSet.objects.create(key="envelope_method", authority="rerra", value="maximum", valid_during=during, source="Docket 1")
    assert "rule row envelope_method" in reader.get(page).content.decode()
