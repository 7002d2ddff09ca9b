"""Flexible interconnection: O4, M8. A study by form and API, adopted in a review, kept by envelopes, read back and compared."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from moc.rulesets.models import RuleSet
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy
from operations.envelopes.reports import limits_of
from operations.envelopes.services import computing, devices, life, reacting
from operations.forecasts.models import MeterDay
from operations.interconnection import reports, tasks
from operations.interconnection.forms import StudyForm
from operations.interconnection.models import InterconnectionStudy, SettingsReadback
from operations.interconnection.services import adopting, base, ordering
from operations.network.services import building
from operations.outages.models import LogEntry
from operations.reliability.models import ReliabilityFinding
from registry.ders import inverters
from registry.ders.models import Der
from registry.grid.models import ServicePoint
from tests.factories.filings import reviewed, row, store_in
from tests.factories.networks import current, der, ordered, points_of, rows
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
PAGES, API = "/operations/interconnection/", "/api/v1/operations/interconnection-studies/"
READBACKS = "/api/v1/operations/settings-readbacks/"
SETTINGS = {"volt_var": inverters.VOLT_VAR}
FACTS = {"title": "Elm Street", "technology": "photovoltaic", "rated_kw": Decimal(20), "rated_kva": Decimal(22)}


@pytest.fixture
def feeder(world, settings, tmp_path):
    """Four points behind one transformer, with a network."""
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()
    computing._machine.cache_clear()
    feeder = world.feeders["edc"][0]
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False, auto_publish=True)
    current(world, feeder, rows(points_of(feeder)[:4], metres=60))
    return feeder


def last(feeder) -> str:
    return points_of(feeder)[3]


def studied(world, feeder, **more) -> InterconnectionStudy:
    facts = FACTS | {"service_point": last(feeder), "inverter_settings": SETTINGS} | more
    study = ordering.order(actor=world.user("edc", "administrator"), feeder=feeder, **facts)
    tasks.study(study.job_id)
    study.refresh_from_db()
    return study


def filed(world, feeder, **more):
    """A filed DER of the studied kind at the last point, under review: its row."""
    facts = {"usage_point_id": last(feeder), "nameplate_ac_kw": "20", "rated_kva": "22", "approved_export_kw": "20"}
    return reviewed(world, [row(1, **facts | more)]).submission.rows.get()


def test_a_study_says_what_is_firm_what_is_flexible_and_what_that_costs(world, feeder):
    study = studied(world, feeder, charge_kw=Decimal(40), rated_kva=Decimal(40))
    assert (study.status, study.job.status) == ("done", "done")
    assert 0 < study.firm_export_kw < study.flexible_export_kw <= 20 and 0 < study.curtailed_percent <= 5
    assert 0 < study.firm_import_kw < 40
    export, import_ = reports.sides_of(study)
    assert [len(export.grid), len(export.grid[0]["cells"]), len(export.months)] == [12, 24, 12]
    assert export.binding[0]["kind"] == "voltage" and export.binding[0]["kw"] == pytest.approx(study.firm_export_kw, abs=0.1)
    assert export.binding[0]["kw"] >= study.firm_export_kw and export.bound == sum(each["hours"] for each in export.binding)
    assert min(each["export_kw"] for each in study.windows if "export_kw" in each) >= study.firm_export_kw
    assert import_.unchecked == 0 and {each["kind"] for each in import_.binding} <= {"voltage", "thermal"}
    assert any("export_kw" in each for each in study.windows) and all(each["rrule"].startswith("FREQ=YEARLY") for each in study.windows)
    assert study.proposed_settings["volt_var"] == inverters.VOLT_VAR
    assert studied(world, feeder, charge_kw=Decimal(40), rated_kva=Decimal("40.0")) == study


def test_a_missing_rule_set_row_is_named_to_the_person(world, feeder, client_of):
    """N13: the job ends with a sentence that names the row and where to add it, on the study's page too."""
    with acting(None, REASON):
        RuleSet.objects.filter(key="study_latitude_deg").delete()
    study = studied(world, feeder)
    assert (study.status, study.job.status, study.job.outcome["code"]) == ("failed", "failed", "STUDY-RULES")
    page = client_of(world.user("edc", "administrator")).get(f"{PAGES}{study.uuid}/").content.decode()
    assert "No rule set row for study_latitude_deg" in page and "in the admin under Rule sets" in page


def test_a_bus_and_phases_are_a_place_too_and_other_ders_take_room(world, feeder):
    alone = studied(world, feeder, service_point="", bus="B3", phases="C A", inverter_settings={})
    assert (alone.bus, alone.phases, alone.service_point) == ("b3", "13", None) and alone.firm_export_kw > 0
    with acting(None, REASON):
        der(world, points_of(feeder)[2], export=6, external_id="OTHER")
        Der.objects.update(temporal_limits=[{"rrule": "FREQ=YEARLY;BYMONTH=6", "export_kw": 1}])
    study = studied(world, feeder, service_point="", bus="b3", phases="C A", inverter_settings={}, accepted_percent=6)
    assert study.firm_export_kw < alone.firm_export_kw
    most, least = base.injections(study.network, 4)
    noon = [12 + 24 * month for month in (5, 6)]
    assert most[:, noon].max(0).tolist() == [1000, pytest.approx(6000, rel=0.05)] and least.min() == -8000
    missing = studied(world, feeder, service_point="", bus="sub", phases="ABC")
    assert missing.status == "done"


def test_months_that_meters_know_are_theirs(world, feeder):
    """Three days of one meter at half and whole of the model's load."""
    point, day = ServicePoint.objects.get(edc=world.edc, usage_point_id=points_of(feeder)[0]), timezone.localdate() - timedelta(days=40)
    facts = {"edc": world.edc, "service_point": point, "minutes": 60, "source": "ami"}
    for n in range(3):
        at = day.replace(day=10 + n)
        MeterDay.objects.create(day=at, kwh=[-1.5] * 12 + [-3.0] * 12, published_at=timezone.now(), **facts)
    found = base.year_of(feeder.networks.get(status="current"))
    first = (day.month - 1) * 24
    assert (found.months, found.meters) == ([day.month], 1)
    assert found.low[first : first + 24].tolist() == [0.5] * 12 + [1.0] * 12 == found.high[first : first + 24].tolist()
    study = studied(world, feeder)
    assert "by 1 meters" in reports.year_of(study)


def test_adopted_in_a_review_its_limits_are_the_registrys_and_envelopes_keep_them(world, feeder):
    study, waits = studied(world, feeder), filed(world, feeder)
    with acting(None, REASON):
        der(world, points_of(feeder)[0], external_id="NEAR")
    before = ordered(world, feeder)
    assert list(adopting.rows_for(study)) == [waits]
    decision = adopting.adopt(actor=world.user("edc", "reviewer"), study=study, row=waits, statement="Flexible")
    study.refresh_from_db()
    found = Der.objects.get(external_id="A-1")
    assert (study.status, study.decision, decision.kind) == ("adopted", decision, "approve_limited")
    assert float(found.export_limit_kw) == study.flexible_export_kw and found.limits_by_time == study.windows
    assert found.inverter_settings == study.proposed_settings and found.history.latest().inverter_settings == study.proposed_settings
    assert LogEntry.objects.get(act="interconnection_adopt").after["export_kw"] == study.flexible_export_kw
    (run,) = reacting.react()  # the window that was ordered is out of date, and no other is ordered twice
    assert run.starts_at == before.starts_at and run.topology_hash == before.topology_hash
    computing.carry_out(run, lambda *args: None)
    run.refresh_from_db()
    life.publish(actor=None, run=run)
    assert reacting.react() == []
    limits = limits_of([EnvelopePoint.objects.get(der=found)])[found.envelope.pk][-1].max_kw
    assert 0 < max(limits) <= study.flexible_export_kw + 0.05


def test_limits_by_time_cap_the_envelope_in_their_hours_and_no_others(world, feeder):
    with acting(None, REASON):
        held = der(world, last(feeder), export=5, external_id="HELD")
    free = ordered(world, feeder)
    with acting(None, REASON):
        windows = [{"starts": "11:00", "ends": "13:00", "export_kw": 1.5, "import_kw": 0}]
        Der.objects.filter(pk=held.pk).update(limits_by_time=windows, import_limit_kw=4)
    run = ordered(world, feeder)
    assert run.pk != free.pk and run.policy["limits"]
    request = computing.request_of(run, building.feeder_of(run.network), devices.active_points(devices.capabilities(run.network)))
    assert (request.high_w[0] / 1e3).tolist() == [5] * 11 + [1.5] * 2 + [5] * 11
    assert (request.low_w[0] / 1e3).tolist() == [-4] * 11 + [0] * 2 + [-4] * 11


def test_what_was_read_back_is_compared_and_differences_are_findings(world, feeder, api_of, client_of):
    adopting.adopt(actor=world.user("edc", "reviewer"), study=studied(world, feeder), row=filed(world, feeder))
    found, api = Der.objects.get(external_id="A-1"), api_of(world.machine)
    said = {"der": str(found.uuid), "at": (timezone.now() - timedelta(hours=1)).isoformat()}
    kept = api.post(READBACKS, said | {"inverter_settings": found.inverter_settings, "export_limit_kw": 3}, format="json")
    assert kept.status_code == 201 and kept.json()["differences"] == []
    assert not ReliabilityFinding.objects.exists()
    other = {"volt_var": [[0.92, 0.44], [0.98, 0.0], [1.04, 0.0], [1.08, -0.44]]}
    said |= {"at": timezone.now().isoformat(), "inverter_settings": other, "export_limit_kw": 20}
    told = api.post(READBACKS, said, format="json").json()
    assert ["Volt-var curve, point 3: voltage (per unit)", 1.04, 1.02] in told["differences"]
    assert {each[0] for each in told["differences"]} >= {"Export limit (kW)"}
    finding = ReliabilityFinding.objects.get()
    assert (finding.rule, finding.der, finding.count) == ("settings", found, len(told["differences"]))
    assert api.post(READBACKS, said, format="json").json()["id"] == told["id"] and SettingsReadback.objects.count() == 2
    viewer = client_of(world.user("edc", "viewer"))
    assert "Volt-var curve, point 4: reactive power (of rated kVA)" in viewer.get(f"{PAGES}settings/{told['id']}/").content.decode()
    listed = viewer.get(f"{PAGES}settings/").content.decode()
    assert "A-1" in listed and listed.index("<td>No</td>") < listed.index("<td>Yes</td>")
    evidence = viewer.get(f"/operations/reliability/{finding.uuid}/").content.decode()
    assert "What, and its unit" in evidence and "Export limit (kW)" in evidence and ">Issued</th>" in evidence
    future = api.post(READBACKS, said | {"at": (timezone.now() + timedelta(hours=1)).isoformat()}, format="json")
    assert future.json()["code"] == "READBACK-AT" and "in the future" in future.content.decode()
    wrong = api.post(READBACKS, said | {"inverter_settings": {"max_w": 200}}, format="json")
    assert wrong.json()["code"] == "READBACK-SETTINGS" and "max_w" in wrong.content.decode()
    assert api_of(world.machine2).post(READBACKS, said, format="json").status_code == 404
    changed = api.post(READBACKS, said | {"source": "device"}, format="json")
    assert changed.json()["code"] == "READBACK-CHANGED" and "at: another reading" in changed.content.decode()
    said["at"] = (timezone.now() - timedelta(minutes=5)).isoformat()
    unset = api.post(READBACKS, said | {"inverter_settings": {}}, format="json").json()
    assert ["Volt-var curve, number of points", 0.0, 4.0] in unset["differences"] and not unset["comparison"][0][-1]
    assert ["Maximum active power (% of rated), not set", 0.0, found.inverter_settings["max_w"]] in unset["differences"]


@pytest.mark.parametrize(
    "facts, code, word",
    [
        ({"service_point": "nowhere"}, "STUDY-POINT", "service_point"),
        ({"service_point": "", "bus": "b9", "phases": "A"}, "STUDY-POINT", "bus"),
        ({"service_point": "", "bus": ""}, "STUDY-POINT", "bus"),
        ({"service_point": "", "bus": "b3", "phases": "AX"}, "STUDY-POINT", "phases"),
        ({"rated_kw": Decimal(0)}, "STUDY-RATING", "rated_kw"),
        ({"rated_kva": Decimal(19)}, "STUDY-RATING", "rated_kva"),
        ({"inverter_settings": {"max_w": -1}}, "STUDY-SETTINGS", "max_w"),
    ],
)
def test_what_cannot_be_studied_is_refused_by_field(world, feeder, facts, code, word):
    with pytest.raises(UserError) as refused:
        studied(world, feeder, **facts)
    assert refused.value.code == code and word in str(refused.value) and not InterconnectionStudy.objects.exists()


def test_who_may_not_and_what_cannot_be_adopted(world, feeder):
    with pytest.raises(NotPermitted):
        ordering.order(actor=world.user("edc2", "administrator"), feeder=feeder, service_point=last(feeder), **FACTS)
    with pytest.raises(UserError, match="no current network"):
        ordering.order(actor=world.user("edc", "administrator"), feeder=world.feeders["edc"][1], service_point="x", **FACTS)
    study, waits = studied(world, feeder), filed(world, feeder, nameplate_ac_kw="25", rated_kva="25", approved_export_kw="25")
    reviewer = world.user("edc", "reviewer")
    with pytest.raises(UserError) as refused:
        adopting.adopt(actor=reviewer, study=study, row=waits)
    assert refused.value.code == "STUDY-ROW"
    with pytest.raises(NotPermitted):
        adopting.adopt(actor=world.user("edc", "viewer"), study=study, row=waits)
    current(world, feeder, rows(points_of(feeder)[:4], metres=61))
    with pytest.raises(UserError) as refused:
        adopting.adopt(actor=reviewer, study=study, row=waits)
    assert refused.value.code == "STUDY-OUTDATED"


def test_a_decision_takes_settings_and_refuses_what_no_inverter_takes(world, feeder, api_of):
    waits = filed(world, feeder)
    review = waits.submission.reviews.get()
    url, api = f"/api/v1/registry/reviews/{review.uuid}/decisions/", api_of(world.user("edc", "reviewer"))
    said = {"kind": "approve_limited", "rows": [waits.row_number], "export_limit_kw": 5}
    wrong = api.post(url, said | {"inverter_settings": {"power_factor": 0.2}}, format="json")
    assert wrong.json()["code"] == "DECISION-SETTINGS" and "power_factor" in wrong.content.decode()
    done = api.post(url, said | {"inverter_settings": {"power_factor": -0.95}}, format="json")
    assert done.json()["inverter_settings"] == {"power_factor": -0.95} == Der.objects.get().inverter_settings


def test_pages_and_api(world, feeder, client_of, api_of):
    engineer, reviewer = world.user("edc", "administrator"), world.user("edc", "reviewer")
    client, api = client_of(engineer), api_of(engineer)
    form = {"feeder": feeder.code, "title": "Elm", "service_point": last(feeder), "technology": "photovoltaic", "rated_kw": "20"}
    form |= {"rated_kva": "22", "charge_kw": "0", "accepted_percent": "5", "volt_var": json.dumps(inverters.VOLT_VAR)}
    wrong = client.post(f"{PAGES}new/", form | {"volt_var": "[[1, 0.4], [0.9, 0]]"})
    assert wrong.status_code == 422 and b"Voltages rise from point to point" in wrong.content
    made = client.post(f"{PAGES}new/", form)
    study = InterconnectionStudy.objects.get()
    assert made.url == f"{PAGES}{study.uuid}/" and client.get(made.url).status_code == 200
    tasks.study(study.job_id)
    page = client.get(made.url).content.decode()
    assert "Firm (kW)" in page and "What binds" in page and "typical day" in page and "Limits by time" in page
    assert b"Elm" in client.get(PAGES).content
    body = FACTS | {"feeder": feeder.code, "service_point": last(feeder), "inverter_settings": SETTINGS, "title": "Elm"}
    asked = api.post(API, json.loads(json.dumps(body, default=float)), format="json")
    assert (asked.status_code, asked.json()["id"]) == (202, str(study.uuid))
    adopts = client_of(reviewer)
    none = adopts.get(f"{made.url}adopt/").content.decode()
    assert "nothing to adopt yet" in none and last(feeder) in none and "at most 20" in none and "<select" not in none
    filed(world, feeder, nameplate_ac_kw="25", rated_kva="25", approved_export_kw="25")
    other = adopts.get(f"{made.url}adopt/").content.decode()
    assert "not as it was studied" in other and "export 25" in other and "Approve with these limits" not in other
    waits = filed(world, feeder)
    study.refresh_from_db()
    form = adopts.get(f"{made.url}adopt/").content.decode()
    assert "A-1, 20" in form and f"Elm: export {study.flexible_export_kw:.1f} kW, {len(study.windows)} limit" in form
    said = {"submission": str(waits.submission.uuid), "row": waits.row_number}
    assert api_of(reviewer).post(f"{API}{study.uuid}/adopt/", said, format="json").json()["status"] == "adopted"
    again = api_of(reviewer).post(f"{API}{study.uuid}/adopt/", said, format="json")
    assert again.json()["code"] == "STUDY-STATUS"
    assert b"Adopted in" in adopts.get(made.url).content
    for stranger in (world.user("edc2", "administrator"), world.user("aggregator", "administrator")):
        assert client_of(stranger).get(made.url).status_code == 404


@pytest.mark.parametrize(
    "text",
    [
        "0.92 0.44; 0.98 0; 1.02 0; 1.08 -0.44",
        "0.92, 0.44\r\n0.98, 0\r\n1.02, 0\r\n1.08, -0.44\r\n",
        json.dumps(inverters.VOLT_VAR, indent=1),
    ],
    ids=["pairs", "lines", "JSON"],
)
def test_a_curve_is_typed_as_people_write_it(text):
    field = StudyForm.base_fields["volt_var"]
    assert field.clean(text) == inverters.VOLT_VAR and "0.92 0.44; 0.98 0; 1.02 0; 1.08 -0.44" in field.help_text


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"volt_var": "0.92 0.44; 0.98"}, "volt_var", "Point 2, “0.98”, is not two numbers. Write voltage and value with a blank"),
        ({"volt_var": "0.92 0.44; 0.98 nan"}, "volt_var", "Point 2, “0.98 nan”, is not two numbers."),
        ({"volt_var": "0.98 0; 0.92 -0.1"}, "volt_var", "Point 2, 0.92 -0.1: Voltages rise from point to point, from 0.7 to 1.3 per unit"),
        (
            {"volt_var": "0.92 0.1; 0.98 0.2"},
            "volt_var",
            "Point 2, 0.98 0.2: Values fall, from 0.6 to -0.6, and this is above 0.1. Such",
        ),
        ({"volt_var": "0.92 0.9; 0.98 0.2"}, "volt_var", "Point 1, 0.92 0.9: Values fall, from 0.6 to -0.6."),
        ({"volt_watt": "1.06 1"}, "volt_watt", "Give 2 to 10 points [voltage per unit, value]. Such as 1.06 1; 1.1 0.2"),
        ({"rated_kva": "19"}, "rated_kva", "The apparent power is at least the active power, 20 kW. Give the inverter's kVA."),
        ({"rated_kw": "0"}, "rated_kw", "The rated power, or the maximum charge, is above 0"),
        ({"service_point": ""}, "service_point", "Neither a service point nor a bus is named. Name one of them"),
        ({"service_point": "nowhere"}, "service_point", "“nowhere” is not on the current network of this feeder. Choose one"),
        ({"service_point": "", "bus": "b9"}, "bus", "The network has no bus “b9”. Search the drawing"),
        ({"service_point": "", "bus": "b3", "phases": "AX"}, "phases", "The phases are one to three of A, B and C. Give those"),
    ],
)
def test_the_form_says_at_its_field_what_cannot_be_studied(world, feeder, client_of, wrong, field, said):
    form = {"feeder": feeder.code, "title": "Elm", "service_point": last(feeder), "technology": "photovoltaic", "rated_kw": "20"}
    form |= {"rated_kva": "22", "charge_kw": "0", "accepted_percent": "5"}
    answer = client_of(world.user("edc", "administrator")).post(f"{PAGES}new/", form | wrong)
    errors = answer.context["form"].errors
    assert answer.status_code == 422 and list(errors) == [field] and errors[field][0].startswith(said), errors
    assert not InterconnectionStudy.objects.exists()
