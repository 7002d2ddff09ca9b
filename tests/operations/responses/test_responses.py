"""Answers to outages: M8, O5. The effect from readiness and envelopes, the choice logged, the utility's word, and the end."""

from dataclasses import replace

import pytest

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.models import Notice
from operations.envelopes.models import EnvelopePoint
from operations.outages.models import LogEntry
from operations.outages.services import ders
from operations.responses import reports, services
from operations.responses.models import OutageResponse
from operations.telemetry.services import taking_in
from registry.ders.models import Der
from tests.factories.networks import der, points_of
from tests.factories.readings import moment, reading, sent
from tests.factories.world import REASON
from tests.registry.aggregations.making import filed, made

pytestmark = pytest.mark.django_db
API, BASE = "/api/v1/operations/outage-responses/", "/operations/responses/"
Kind = OutageResponse.Kind


@pytest.fixture
def aggregation(world):
    """Three DERs of 10 kW out and 8 kW in; the second told of 4 kW room up and 2 down, the third of nothing."""
    taking_in.prepare()
    with acting(None, REASON):
        members = [der(world, point, external_id=f"R-{n}") for n, point in enumerate(points_of(world.feeders["edc"][0])[:3])]
    aggregation = filed(world, made(world, ders=members))
    sent(world.user("edc", "administrator"), reading(members[1], p_kw=3, up_kw=4, down_kw=2))
    return aggregation


@pytest.fixture
def outage(world, aggregation):
    return out(world, "R-0")


def out(world, name: str, **said):
    one = Der.objects.get(external_id=name)
    given = {"kind": "outage", "cause": "forced", "starts_at": moment(5), "reason": "Inverter failed"} | said
    return ders.report(actor=world.user("aggregator", "filer"), rows=[ders.Told(der=str(one.uuid), **given)]).taken[0]


def chosen(world, outage, aggregation, kind: str) -> OutageResponse:
    return services.choose(actor=world.user("aggregator", "filer"), outage=outage, aggregation=aggregation, kind=kind, reason="Needed")


def test_effects_come_from_readiness_and_envelopes(world, aggregation, outage):
    """10 kW up and 8 down are lost; the one member that tells of itself gives 4 and 2; without envelopes there is no room to ask for."""
    offered = {each.kind: each for each in reports.offers(outage, aggregation)}
    assert {(each.lost_up_kw, each.lost_down_kw) for each in offered.values()} == {(10, 8)}
    substitute = offered[Kind.SUBSTITUTE]
    assert (substitute.regained_up_kw, substitute.regained_down_kw) == (4, 2) and len(substitute.parts) == 1
    assert (substitute.least_kw, substitute.most_kw) == (-24 + 8 - 2, 30 - 10 + 4)
    assert (offered[Kind.DERATE].most_kw, offered[Kind.DERATE].least_kw) == (20, -16)
    assert offered[Kind.ROOM].regained_up_kw == offered[Kind.REDECLARE].regained_up_kw == 0


def test_an_envelope_takes_from_both_sides(world, aggregation, monkeypatch):
    """What an envelope does not leave was not there to lose, and it is what the utility can be asked for."""
    tight = [replace(each, low=-1.0, high=6.0, up=min(each.up, 3.0)) for each in reports.members_of(aggregation)]
    monkeypatch.setattr(reports, "members_of", lambda aggregation: tight)
    offered = {each.kind: each for each in reports.offers(out(world, "R-0"), aggregation)}
    assert (offered[Kind.ROOM].lost_up_kw, offered[Kind.ROOM].lost_down_kw) == (6, 1)
    assert offered[Kind.ROOM].regained_up_kw == 6 and offered[Kind.ROOM].regained_down_kw == 1
    assert offered[Kind.SUBSTITUTE].regained_up_kw == 3


def test_a_derate_takes_what_is_above_it(world, aggregation):
    told = reports.offers(out(world, "R-0", kind="derate", available_kw=7), aggregation)
    assert {(each.lost_up_kw, each.lost_down_kw) for each in told} == {(3, 0)}


@pytest.mark.parametrize(("said", "limits", "lost"), [({}, (0, 0), (10, 8)), ({"kind": "derate", "available_kw": 7}, (8, 6.96), (3, 0))])
def test_an_envelope_that_knows_of_the_outage_takes_nothing_from_what_is_lost(world, aggregation, monkeypatch, said, limits, lost):
    """Envelopes follow an outage within seconds; its answers are asked for later."""
    told = out(world, "R-0", **said)
    point = EnvelopePoint(pk=1, der=Der.objects.get(external_id="R-0"))
    monkeypatch.setattr(reports, "now_of", lambda points: {1: limits})
    monkeypatch.setattr(reports.EnvelopePoint.objects, "filter", lambda **kwargs: [point])
    assert {(each.lost_up_kw, each.lost_down_kw) for each in reports.offers(told, aggregation)} == {lost}


def test_a_choice_is_logged_told_and_ends_with_the_outage(world, aggregation, outage):
    response = chosen(world, outage, aggregation, Kind.DERATE)
    assert (response.status, response.tso, response.most_kw) == ("chosen", world.tso, 20)
    entry = LogEntry.objects.get(act="response_derate")
    assert (entry.outage, entry.before, entry.after["most_kw"]) == (outage, {"lost_up_kw": 10, "lost_down_kw": 8}, 20)
    people = set(Notice.objects.filter(event="outage_response").values_list("user__memberships__organization", flat=True))
    assert people == {world.edc.pk, world.tso.pk}
    with pytest.raises(Conflict):
        chosen(world, outage, aggregation, Kind.DERATE)
    assert services.end_over() == 0
    ders.move(actor=world.user("aggregator", "filer"), outage=outage, name="end")
    assert services.end_over() == 1
    response.refresh_from_db()
    assert response.status == "over"
    with pytest.raises(UserError):
        chosen(world, outage, aggregation, Kind.SUBSTITUTE)


def test_what_cannot_be_chosen(world, aggregation, outage):
    """Room where no envelope binds gives nothing; another's aggregation is none; who does not file may not; nothing is written."""
    with pytest.raises(UserError) as refused:
        chosen(world, outage, aggregation, Kind.ROOM)
    assert refused.value.code == "RESPONSE-NOTHING"
    with pytest.raises(UserError) as refused:
        chosen(world, outage, made(world, "Inland"), Kind.DERATE)
    assert refused.value.code == "RESPONSE-OTHER"
    with pytest.raises(NotPermitted):
        services.choose(actor=world.user("edc", "administrator"), outage=outage, aggregation=aggregation, kind="derate")
    assert not OutageResponse.objects.exists() and not LogEntry.objects.filter(act__startswith="response").exists()


def test_by_form_and_by_program_and_the_utilitys_word(world, aggregation, outage, client_of, api_of):
    client, api = client_of(world.user("aggregator", "filer")), api_of(world.user("aggregator", "filer"))
    page = client.get(f"{BASE}to/{outage.uuid}/")
    assert page.status_code == 200 and b"Other members step in" in page.content
    done = client.post(f"{BASE}to/{outage.uuid}/", {"aggregation": str(aggregation.uuid), "kind": "substitute"})
    assert done.status_code == 302 and b"R-1" in client.get(done["Location"]).content
    assert client_of(world.user("edc", "administrator")).get(f"{BASE}to/{outage.uuid}/").status_code == 404
    offers = api.get(f"{API}offers/{outage.uuid}/").json()
    assert [each["kind"] for each in offers] == ["substitute", "redeclare", "room", "derate"]
    body = {"outage": str(outage.uuid), "aggregation": str(aggregation.uuid), "kind": "derate"}
    made_ = api.post(API, body, format="json")
    assert (made_.status_code, made_.json()["status"]) == (201, "chosen")
    assert api.post(API, body, format="json").status_code == 409
    with acting(None, REASON):
        asked = OutageResponse.objects.get(kind="substitute")
        asked.pk, asked.uuid, asked.kind, asked.status = None, OutageResponse._meta.get_field("uuid").get_default(), "room", "asked"
        asked.save()
    utility = api_of(world.user("edc", "administrator"))
    granted = utility.post(f"{API}{asked.uuid}/transitions/grant/", {}, format="json", HTTP_IF_MATCH="*")
    assert granted.json()["status"] == "granted" and LogEntry.objects.filter(act="response_grant").exists()
    assert Notice.objects.filter(user=world.user("aggregator", "filer"), event="outage_response").exists()
