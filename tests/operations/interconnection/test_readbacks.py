"""Settings read back: O2, M8. By the batch, each row for itself; shown where the DER and its feeder are; silence is a finding."""

import json
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from moc.demo import inverters
from moc.history import acting
from moc.rulesets.models import RuleSet
from operations.interconnection.models import SettingsReadback
from operations.interconnection.services import reading_in, silence
from operations.overview import reports as overview
from operations.reliability.models import ReliabilityFinding
from registry.ders.models import Der
from registry.submissions.models import StagedDer
from tests.factories.filings import reviewed, row, store_in
from tests.factories.networks import der, points_of
from tests.factories.readings import moment
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
BATCH = "/api/v1/operations/settings-readbacks/batch/"
ISSUED = {"volt_watt": [[1.06, 1.0], [1.1, 0.2]], "power_factor": -0.95, "max_w": 60.0}


@pytest.fixture
def ders(world) -> list[Der]:
    """Two DERs to which the utility issued settings, and one of another aggregator."""
    points = points_of(world.feeders["edc"][0])
    with acting(None, REASON):
        parties = (world.aggregator, world.aggregator, world.aggregator2)
        made = [der(world, point, aggregator=party) for point, party in zip(points, parties, strict=False)]
        Der.objects.update(inverter_settings=ISSUED, export_limit_kw=5)
    return list(Der.objects.filter(pk__in=[each.pk for each in made]).order_by("pk"))


def law(world, key: str, value) -> None:
    days = DateRange(timezone.localdate(moment()) - timedelta(days=2), None)
    with acting(None, REASON):
        RuleSet.objects.create(key=key, authority=world.rerra.slug, value=value, valid_during=days, source="Docket of the tests")


def csv_of(ders: list[Der], *cells: str) -> bytes:
    head = "der,at,source,volt_watt,power_factor,max_w,export_limit_kw"
    curve = f'"{json.dumps(ISSUED["volt_watt"])}"'
    rows = [f"{each.uuid},{moment(9).isoformat()},gateway,{curve},{cell}" for each, cell in zip(ders, cells, strict=True)]
    return "\n".join([head, *rows]).encode()


def test_a_table_of_readings_is_held_against_what_was_issued(world, ders, api_of, client_of):
    """Each row is kept or refused for itself, within tolerance it is as issued, and the same table again keeps nothing."""
    api, body = api_of(world.machine), csv_of(ders, "-0.952,60.4,5.05", "-0.9,61,6", "-0.95,60,5")
    done = api.post(BATCH, body, content_type="text/csv").json()
    assert (done["received"], done["stored"], done["known"]) == (3, 2, 0)
    assert [(each["row"], each["code"]) for each in done["refused"]] == [(3, "READBACK-DER")]
    same, other = SettingsReadback.objects.order_by("pk")
    assert (same.differences, same.source) == ([], "gateway") and all(each[-1] for each in same.comparison)
    assert same.at.isoformat() in body.decode()
    assert ["Fixed power factor", -0.952, -0.95, 0.005, True] in same.comparison and len(same.comparison) == 7
    assert other.differences == [
        ["Fixed power factor", -0.9, -0.95],
        ["Maximum active power (% of rated)", 61.0, 60.0],
        ["Export limit (kW)", 6.0, 5.0],
    ]
    finding = ReliabilityFinding.objects.get()
    assert (finding.rule, finding.der, finding.count, finding.evidence[0][1:3]) == ("settings", ders[1], 3, [-0.9, -0.95])
    again = api.post(BATCH, body, content_type="text/csv").json()
    assert (again["stored"], again["known"]) == (0, 2) and SettingsReadback.objects.count() == 2
    finding.refresh_from_db()
    assert finding.count == 3
    page = client_of(world.user("edc", "viewer")).get("/operations/interconnection/settings/?as_issued=false").content.decode()
    assert ders[1].external_id in page and ders[0].external_id not in page
    with pytest.raises(DatabaseError), transaction.atomic(), acting(None, REASON):
        SettingsReadback.objects.update(source="hand")


def test_one_reading_is_told_by_form(world, ders, client_of):
    """From the DER's page, which its aggregator sees so; what is left empty was read to be off."""
    filer, url = client_of(world.user("aggregator", "filer")), "/operations/interconnection/settings/new/"
    assert f"{url}?der={ders[0].uuid}" in filer.get(f"/registry/ders/{ders[0].uuid}/").content.decode()
    assert str(ders[0].uuid) in filer.get(f"{url}?der={ders[0].uuid}").content.decode()
    said = {"der": ders[0].external_id, "at": f"{timezone.localtime(moment(9)):%Y-%m-%dT%H:%M}", "source": "hand"}
    said |= {"volt_watt": json.dumps(ISSUED["volt_watt"]), "max_w": "60", "export_limit_kw": "5"}
    wrong = {"der": "None of ours", "volt_watt": "[[2, 1]]", "at": f"{timezone.localtime(moment(-60)):%Y-%m-%dT%H:%M}", "max_w": "200"}
    for field, value in wrong.items():
        page = filer.post(url, said | {field: value})
        assert page.status_code == 422 and page.context["form"].errors, field
    assert not SettingsReadback.objects.exists()
    page = filer.post(url, said, follow=True).content.decode()
    kept = SettingsReadback.objects.get()
    assert (kept.differences, kept.source) == ([["Fixed power factor, not set", 0.0, -0.95]], "hand")
    assert "not set" in page
    assert filer.post(url, said).status_code == 302 and SettingsReadback.objects.count() == 1, "the same again is known"
    assert "Another reading of this DER and moment is kept." in filer.post(url, said | {"max_w": "50"}).context["form"].errors["at"][0]
    assert [client_of(world.user(name, role)).get(url).status_code for name, role in (("edc", "reviewer"), ("aggregator", "viewer"))] == [
        404
    ] * 2


def test_the_tolerance_is_law(world, ders):
    """N13: the regulator's row decides, and is told beside the value."""
    law(world, "readback_tolerance_percent", 2)
    reading_in.take_in(actor=world.user("aggregator", "filer"), name="a.csv", content=csv_of(ders[:1], "-0.95,61.9,5"))
    kept = SettingsReadback.objects.get()
    assert kept.differences == [] and ["Maximum active power (% of rated)", 61.9, 60.0, 2.0, True] in kept.comparison


def test_bad_rows_are_refused_by_field_and_good_ones_stand(world, ders):
    good = {"der": str(ders[0].uuid), "at": moment(9).isoformat(), "inverter_settings": ISSUED}
    bad = {
        "READBACK-FORM": [7, good | {"colour": "red"}],
        "READBACK-DER": [good | {"der": "D-1"}, good | {"der": None}],
        "READBACK-AT": [good | {"at": "2026-07-01T12:00:00"}, good | {"at": "soon"}, good | {"at": moment(-60).isoformat()}],
        "READBACK-SOURCE": [good | {"source": "rumour"}, good | {"source": ["device"]}],
        "READBACK-SETTINGS": [good | {"inverter_settings": said} for said in ({"max_w": 200}, {"hue": 1}, [1], {"power_factor": "x"})],
        "READBACK-LIMIT": [good | {"export_limit_kw": -1}, good | {"import_limit_kw": "much"}],
        "READBACK-CHANGED": [good | {"inverter_settings": {}}],
    }
    rows = [(code, said) for code, each in bad.items() for said in each]
    content = "\n".join(json.dumps(said) for said in (good, *(said for _, said in rows))).encode()
    taken = reading_in.take_in(actor=world.user("aggregator", "filer"), name="a.ndjson", content=content)
    assert (taken.stored, SettingsReadback.objects.get().inverter_settings) == (1, ISSUED)
    assert [each[:2] for each in taken.refused] == [(number, code) for number, (code, _) in enumerate(rows, 2)]


@pytest.mark.parametrize(("body", "word"), [(b"der,hue\n", "hue"), (b"der\n", "lacks"), (b"der,at,at\n", "twice"), (b"\xff", "UTF-8")])
def test_a_table_that_is_none_says_why(world, ders, api_of, body, word):
    said = api_of(world.machine).post(BATCH, body, content_type="text/csv")
    assert said.status_code == 422 and word in said.content.decode() and not SettingsReadback.objects.exists()


def test_silence_is_a_finding_once_a_period(world, ders):
    """O2: a reading starts the period anew; while nothing is read each period is one case more; no row says no period."""
    now, filer = timezone.now(), world.user("aggregator", "filer")
    assert silence.look(now) == 0
    later = now + timedelta(days=32)
    reading_in.take_in(actor=filer, name="a.csv", content=csv_of(ders[:1], "-0.95,60,5"))
    first = SettingsReadback.objects.get()
    assert silence.look(later) == 3 and silence.look(later) == 0
    said = ReliabilityFinding.objects.get(der=ders[0])
    assert (said.rule, said.count, said.last_at) == ("unread", 1, first.at + timedelta(days=30))
    assert said.evidence == [[said.last_at.isoformat(), 30.0, 30.0, silence.WORDS]]
    assert silence.look(now + timedelta(days=62)) == 0
    said.refresh_from_db()
    assert said.count == 2
    with acting(None, REASON):
        Der.objects.filter(pk=ders[0].pk).update(inverter_settings=None)
        ReliabilityFinding.objects.all().delete()
    law(world, "readback_days", 90)
    assert silence.look(later) == 0 and not ReliabilityFinding.objects.exists()


def test_the_period_begins_when_settings_are_issued(world, api_of):
    """A DER that was registered long before owes nothing of the time before the decision."""
    review = reviewed(world, [row(1)])
    number = review.submission.rows.get().row_number
    said = {"kind": "approve_limited", "rows": [number], "export_limit_kw": 5, "inverter_settings": ISSUED}
    api_of(world.user("edc", "reviewer")).post(f"/api/v1/registry/reviews/{review.uuid}/decisions/", said, format="json")
    issued = review.decisions.get().decided_at
    with acting(None, REASON):
        Der.objects.update(status="active", registered_on=timezone.localdate() - timedelta(days=200))
    assert list(silence.owing().values_list("issued_at", "read_at")) == [(issued, None)]
    assert list(silence.unread(issued + timedelta(days=29))) == []
    (case,) = silence.unread(issued + timedelta(days=31))
    assert (case.at, case.measured, case.limit) == (issued + timedelta(days=30), 30.0, 30.0)


def test_it_is_shown_where_the_der_and_its_feeder_are(world, ders, client_of):
    page, client = f"/registry/ders/{ders[0].uuid}/", client_of(world.user("edc", "viewer"))
    assert b"nobody has read them back yet" in client.get(page).content
    reading_in.take_in(actor=world.user("aggregator", "filer"), name="a.csv", content=csv_of(ders[:2], "-0.9,60,5", "-0.95,60,5"))
    shown = client.get(page).content.decode()
    assert "not as issued" in shown and "Tolerance" in shown and "by gateway" in shown
    place = overview.Place(world.user("edc", "viewer"), world.edc, ders[0].feeder)
    rows = {what: number for what, number, *_ in overview.doing(place).rows}
    counts = [rows[f"DERs: {what}"] for what in ("settings as issued", "other settings", "settings not read back")]
    assert counts == [1, 1, 1]


def test_the_demonstration_has_settings_read_back(world, settings, tmp_path, monkeypatch):
    """Issued with the approval of a few, read back once: as issued, one with another curve, the last not at all."""
    store_in(settings, tmp_path)
    monkeypatch.setattr(inverters, "feeders_of", lambda edc: world.feeders["edc"])
    monkeypatch.setattr(inverters, "ISSUED", 3)
    review = reviewed(world, [row(n) for n in (1, 3, 5, 7)])
    parties = {"JCPL": world.edc, "KITTATINNY": world.aggregator}
    for _ in range(2):
        inverters.issue(review.submission, parties)
    assert list(StagedDer.objects.of_review(review).filter(status="pending").values_list("external_id", flat=True)) == ["A-7"]
    for _ in range(2):
        inverters.read_back(parties)
    found = SettingsReadback.objects.order_by("der__external_id").values_list("der__external_id", "differences")
    assert [(name, bool(other)) for name, other in found] == [("A-1", False), ("A-3", True)]
    assert Der.objects.get(external_id="A-5").inverter_settings == inverters.SETTINGS
