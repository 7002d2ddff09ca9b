"""The part of the access matrix about operations: networks, envelopes and what aggregators receive of them."""

from secrets import token_hex

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from moc.history import acting
from operations.hosting.models import HostingMap
from tests.contracts.matrix import MEMBERS, Route, Write
from tests.contracts.matrix_api import CALLERS, ID, OF_UTILITY
from tests.contracts.matrix_filing import ANY_FILERS, DECIDERS, FILERS, of
from tests.contracts.scene import AGGREGATOR, SIGNED_IN, Scene, who
from tests.factories.networks import midnight, rows
from tests.factories.readings import moment, reading

FORECASTS = "operations/forecasts/"
NETWORKS, ENVELOPES, API = "operations/networks/", "operations/envelopes/", "api/v1/operations/"
RUN, RECEIPT, MOVE = f"{ENVELOPES}runs/<uuid:uuid>/", f"{ENVELOPES}receipts/<uuid:uuid>/", "transitions/<slug:name>/"
GRID = who("edc:administrator")
ANY_GRID = GRID | who("edc2:administrator")  # each on its own feeder F1
PEOPLE_OF_UTILITY = OF_UTILITY - who("machine")
OF_BOTH = OF_UTILITY | AGGREGATOR
OUTAGES, MARKETS = "operations/outages/", who("tso:administrator", "tso2:administrator")
INTERFACES, MARKET = "operations/interfaces/", who("tso:administrator")
OF_RTO = who("tso:viewer|auditor|administrator")
OF_GRID = OF_UTILITY
PEOPLE_OF_GRID = OF_GRID - who("machine")
ALARMS = "operations/transformers/"
OUTCOMES = f"{ENVELOPES}outcomes/"
RELIABILITY = "operations/reliability/"
RESPONSES = "operations/responses/"
CONNECTIONS, SCREENS, HOSTING = "operations/interconnection/", "operations/screens/", "operations/hosting/"
TELLERS = ANY_FILERS - who("machine")


def file() -> SimpleUploadedFile:
    return SimpleUploadedFile("network.csv", rows(["edc-up-01"]), "text/csv")


def loaded(scene: Scene) -> dict:
    return {"feeder": "F1", "source": "table", "file": file()}


def sent(scene: Scene) -> dict:
    return {"file": file()}


def window(scene: Scene) -> dict:
    return {"feeder": "F1", "starts_at": midnight(3).isoformat(), "hours": 1, "step_minutes": 30}


def asked(scene: Scene) -> dict:
    return window(scene) | {"starts_at": f"{midnight(3):%Y-%m-%d %H:%M}"}


def limited(scene: Scene) -> dict:
    return {"der": str(scene.limited.uuid), "least_kw": "-1", "most_kw": "1", "reason": "Repair"}


def times(name: str):
    """Of an event of the scene that goes on: its beginning, and another end."""
    other = {"reason": "It takes longer"}
    return lambda scene: {"starts_at": getattr(scene, name).starts_at.isoformat(), "expected_until": midnight(2).isoformat()} | other


def told(scene: Scene) -> dict:
    return {"der": str(scene.der.uuid), "kind": "derate", "cause": "forced", "starts_at": moment(3).isoformat()} | {
        "available_kw": "1",
        "reason": "Clouds",
    }


def told_by_form(scene: Scene) -> dict:
    return told(scene) | {"starts_at": f"{timezone.localtime(moment(3)):%Y-%m-%dT%H:%M}"}


def told_by_file(scene: Scene) -> dict:
    one = told(scene)
    return {"file": SimpleUploadedFile("outages.csv", f"{','.join(one)}\n{','.join(one.values())}\n".encode(), "text/csv")}


def outages(scene: Scene) -> dict:
    return {"outages": [told(scene)]}


def answer_by_form(scene: Scene) -> dict:
    return {"aggregation": str(scene.aggregation.uuid), "kind": "derate", "reason": "Until it is back"}


def answer(scene: Scene) -> dict:
    return answer_by_form(scene) | {"outage": str(scene.answered_outage.uuid)}


def interface(scene: Scene) -> dict:
    return {"pk": scene.interface_limit.td_interface_id}


def feeder(scene: Scene) -> dict:
    return {"pk": scene.limited.feeder_id}


def limit_of(scene: Scene) -> dict:
    return LIMIT | {"edc": "edc", "td_interface": scene.interface_limit.td_interface.code}


def line(scene: Scene) -> dict:
    return {"tso": "tso", "code": "L-2", "flow_kw": 1, "limit_kw": 2, "factors": {}}


def ordered(scene: Scene) -> dict:
    return {"tso": "tso", "at": midnight().isoformat()}


def deliverability_of(scene: Scene) -> dict:
    return {"tso": scene.world.tso.pk, "at": f"{midnight():%Y-%m-%d %H:%M}"}


def studied(scene: Scene) -> dict:
    return {"feeder": "F1", "service_point": "edc-up-01"} | STUDIED


def studied_by_form(scene: Scene) -> dict:
    return studied(scene) | {"charge_kw": "0", "accepted_percent": "5"}


def unmapped(scene: Scene) -> dict:
    """A feeder that has no map of this month any more."""
    with acting(None, "Of another month"):
        HostingMap.objects.update(window=token_hex(3))
    return {"feeder": "F1"}


def row_to_adopt(scene: Scene) -> dict:
    return {"row": scene.row.pk}


def to_adopt(scene: Scene) -> dict:
    return {"submission": str(scene.submission.uuid), "row": 2}


def read_back(scene: Scene) -> dict:
    return {"pk": scene.settings_readback.pk}


def told_in_batch(scene: Scene) -> list:
    return [told_settings(scene)]


def told_settings(scene: Scene) -> dict:
    return {"der": str(scene.limited.uuid), "at": moment(3).isoformat(), "inverter_settings": {}}


def settings_by_form(scene: Scene) -> dict:
    return {"der": scene.limited.external_id, "at": f"{timezone.localtime(moment(3)):%Y-%m-%dT%H:%M}", "source": "hand"}


STUDIED = {"title": "Elm", "technology": "photovoltaic", "rated_kw": "4", "rated_kva": "4"}
SAID = {"reason": "Firmware replaced"}
LINE_OUT = {"tso": "tso", "line": "L-1", "kind": "outage", "starts_at": "2026-01-01T00:00", "reason": "A tower fell"}
LIMIT = {"import_kw": 10, "export_kw": 5, "source": "A study"}
EVENT = {"kind": "outage", "feeder": "F1", "starts_at": "2026-01-01T00:00", "reason": "A tree fell"}
INTERFACE = {name: value for name, value in EVENT.items() if name != "feeder"} | {"td_interface": "TD1"}


def state(scene: Scene) -> dict:
    return {"pk": scene.der_state.pk}


def subject_state(scene: Scene) -> dict:
    return {"pk": scene.subject_state.pk}


def forecast(scene: Scene) -> dict:
    return {"pk": scene.forecast.pk}


def meter_file(scene: Scene) -> dict:
    rows = f"usage_point_id,starts_at,minutes,kwh\n{scene.meter_day.service_point},{moment(6000):%Y-%m-%dT%H:00:00Z},60,-1\n"
    return {"file": SimpleUploadedFile("meters.csv", rows.encode(), "text/csv")}


def metered(scene: Scene) -> dict:
    return meter_file(scene) | {"edc": scene.world.edc.pk}


def of_check(scene: Scene) -> dict:
    return {"pk": scene.telemetry_check.pk}


def readings(scene: Scene) -> list:
    """Of a DER, which its aggregator and its utility send, and of a T-D interface, which the utility and its RTO send."""
    interface = scene.limited.feeder.substation.td_interface
    at = moment(3).isoformat()
    return [reading(scene.limited, at=at), {"td_interface": interface.code, "edc": "edc", "at": at, "p_kw": -900}]


def envelope(scene: Scene) -> dict:
    return {"pk": scene.envelope.pk}


ROUTES = (
    Route(NETWORKS, SIGNED_IN),
    Route(f"{NETWORKS}new/", ANY_GRID, writes=(Write(ANY_GRID, loaded),)),
    Route(f"{NETWORKS}<uuid:uuid>/", PEOPLE_OF_UTILITY, of("network")),
    Route(f"{NETWORKS}<uuid:uuid>/{MOVE}", None, of("network", name="approve"), (Write(GRID),)),
    Route(ENVELOPES, SIGNED_IN),
    Route(f"{ENVELOPES}export.csv", MEMBERS),
    Route(f"{ENVELOPES}<int:pk>/", OF_BOTH - who("machine"), envelope),
    Route(f"{ENVELOPES}runs/", SIGNED_IN),
    Route(f"{ENVELOPES}runs/new/", ANY_GRID, writes=(Write(GRID, asked),)),
    Route(RUN, PEOPLE_OF_UTILITY, of("envelope_run")),
    Route(f"{RUN}edit/", GRID, of("envelope_run"), (Write(GRID, limited),)),
    Route(f"{RUN}{MOVE}", None, of("envelope_run", name="publish"), (Write(GRID),)),
    Route(f"{ENVELOPES}receipts/", SIGNED_IN),
    Route(RECEIPT, OF_BOTH - who("machine"), of("envelope_receipt")),
    Route(f"{RECEIPT}{MOVE}", None, of("envelope_receipt", name="acknowledge"), (Write(FILERS - who("machine")),)),
    Route(OUTCOMES, SIGNED_IN),
    Route(f"{OUTCOMES}export.csv", MEMBERS),
    Route(f"{OUTCOMES}ders.csv", MEMBERS),
    Route(f"{OUTCOMES}<uuid:uuid>/", OF_BOTH - who("machine"), of("envelope_outcome")),
    Route(f"{API}envelope-outcomes/", CALLERS),
    Route(f"{API}envelope-outcomes/{ID}", OF_BOTH, of("envelope_outcome")),
    Route(f"{API}envelope-outcomes/{ID}versions/", OF_BOTH, of("envelope_outcome")),
    Route(f"{API}envelope-outcomes/{ID}ders/", OF_BOTH, of("envelope_outcome")),
    Route("operations/readiness/", SIGNED_IN),
    Route("operations/readiness/aggregations/", SIGNED_IN),
    Route("operations/readiness/<int:pk>/", OF_BOTH - who("machine"), state),
    Route("operations/readiness/grid/", SIGNED_IN),
    Route("operations/readiness/grid/<int:pk>/", PEOPLE_OF_UTILITY, subject_state),
    Route("operations/readiness/owed/", SIGNED_IN),
    Route(f"{FORECASTS}", SIGNED_IN),
    Route(f"{FORECASTS}load/", ANY_GRID, writes=(Write(GRID, metered),)),
    Route(f"{FORECASTS}<int:pk>/", PEOPLE_OF_UTILITY, forecast),
    # the API
    Route(f"{API}forecasts/", CALLERS),
    Route(f"{API}forecasts/<int:pk>/", OF_UTILITY, forecast),
    Route(f"{API}forecasts/<int:pk>/transformers/", OF_UTILITY, forecast),
    Route(f"{API}forecasts/<int:pk>/meters/", GRID, forecast),
    Route(f"{API}meter-data/", None, writes=(Write(GRID, meter_file, query="?edc=edc"),)),
    Route(f"{API}telemetry-checks/", CALLERS),
    Route(f"{API}telemetry-checks/<int:pk>/", OF_BOTH, of_check),
    Route(f"{API}subject-states/", CALLERS),
    Route(f"{API}subject-states/<int:pk>/", OF_UTILITY, subject_state),
    Route(f"{API}subject-states/<int:pk>/readings/", OF_UTILITY, subject_state),
    Route(OUTAGES, SIGNED_IN),
    Route(f"{OUTAGES}new/", TELLERS, writes=(Write(FILERS - who("machine"), told_by_form),)),
    Route(f"{OUTAGES}file/", TELLERS, writes=(Write(FILERS - who("machine"), told_by_file),)),
    Route(f"{OUTAGES}<uuid:uuid>/", OF_BOTH - who("machine"), of("outage")),
    Route(f"{OUTAGES}<uuid:uuid>/{MOVE}", None, of("outage", name="end"), (Write(FILERS - who("machine")),)),
    Route(f"{OUTAGES}events/", SIGNED_IN),
    Route(
        f"{OUTAGES}events/new/",
        ANY_GRID | MARKETS,
        writes=(Write(ANY_GRID, EVENT, name="a utility"), Write(ANY_GRID | MARKETS, INTERFACE, name="an interface")),
    ),
    Route(f"{OUTAGES}events/<uuid:uuid>/", OF_BOTH - who("machine"), of("grid_event")),
    Route(f"{OUTAGES}events/<uuid:uuid>/times/", GRID, of("grid_event"), (Write(GRID, times("grid_event")),)),
    Route(f"{OUTAGES}events/<uuid:uuid>/{MOVE}", None, of("grid_event", name="restore"), (Write(GRID),)),
    Route("operations/feeders/", SIGNED_IN),
    Route("operations/feeders/<int:pk>/", PEOPLE_OF_GRID, feeder),
    Route("operations/feeders/of/<slug:slug>/", PEOPLE_OF_GRID, lambda scene: {"slug": "edc"}),
    Route(f"{API}feeders/", CALLERS),
    Route(f"{API}feeders/<int:pk>/", OF_GRID, feeder),
    Route(f"{API}feeders/<int:pk>/answers/", OF_GRID, feeder),
    Route(INTERFACES, SIGNED_IN),
    Route(f"{INTERFACES}<int:pk>/", PEOPLE_OF_GRID, interface),
    Route(f"{INTERFACES}<int:pk>/stream/", PEOPLE_OF_GRID, interface),
    Route(f"{INTERFACES}<int:pk>/history/", PEOPLE_OF_GRID, interface),
    Route(f"{INTERFACES}<int:pk>/history/export.csv", PEOPLE_OF_GRID, interface),
    Route(f"{INTERFACES}<int:pk>/limit/", GRID | MARKET, interface, (Write(GRID | MARKET, LIMIT),)),
    Route(f"{INTERFACES}lines/", SIGNED_IN),
    Route(f"{INTERFACES}lines/new/", MARKETS, writes=(Write(MARKET, lambda scene: LINE_OUT | {"line": scene.monitored_line.pk}),)),
    Route(f"{INTERFACES}lines/<uuid:uuid>/", OF_BOTH - who("machine"), of("line_event")),
    Route(f"{INTERFACES}lines/<uuid:uuid>/times/", MARKET, of("line_event"), (Write(MARKET, times("line_event")),)),
    Route(f"{INTERFACES}lines/<uuid:uuid>/{MOVE}", None, of("line_event", name="restore"), (Write(MARKET),)),
    Route(f"{INTERFACES}deliverability/", SIGNED_IN),
    Route(f"{INTERFACES}deliverability/new/", MARKETS, writes=(Write(MARKET, deliverability_of),)),
    Route(f"{INTERFACES}deliverability/<uuid:uuid>/", OF_RTO, of("deliverability_run")),
    Route(f"{API}interfaces/", CALLERS),
    Route(f"{API}interfaces/<int:pk>/", OF_GRID, interface),
    Route(f"{API}interface-limits/", CALLERS, writes=(Write(GRID | MARKET, limit_of),)),
    Route(f"{API}interface-limits/<int:pk>/", OF_GRID, lambda scene: {"pk": scene.interface_limit.pk}),
    Route(f"{API}interface-limits/<int:pk>/versions/", OF_GRID, lambda scene: {"pk": scene.interface_limit.pk}),
    Route(f"{API}monitored-lines/", CALLERS, writes=(Write(MARKET, line),)),
    Route(f"{API}monitored-lines/<int:pk>/", OF_RTO, lambda scene: {"pk": scene.monitored_line.pk}),
    Route(f"{API}monitored-lines/<int:pk>/versions/", OF_RTO, lambda scene: {"pk": scene.monitored_line.pk}),
    Route(f"{API}line-events/", CALLERS, writes=(Write(MARKET, LINE_OUT),)),
    Route(f"{API}line-events/{ID}", OF_BOTH, of("line_event")),
    Route(f"{API}line-events/{ID}versions/", OF_BOTH, of("line_event")),
    Route(f"{API}line-events/{ID}{MOVE}", None, of("line_event", name="restore"), (Write(MARKET, {}),)),
    Route(f"{API}line-events/{ID}reschedule/", None, of("line_event"), (Write(MARKET, times("line_event")),)),
    Route(f"{API}deliverability-runs/", CALLERS, writes=(Write(MARKET, ordered),)),
    Route(f"{API}deliverability-runs/{ID}", OF_RTO, of("deliverability_run")),
    Route(f"{API}deliverability-runs/{ID}versions/", OF_RTO, of("deliverability_run")),
    Route(f"{API}deliverability/", CALLERS),
    Route(f"{API}deliverability/<int:pk>/", OF_GRID, lambda scene: {"pk": scene.interface_result.pk}),
    Route(RELIABILITY, SIGNED_IN),
    Route(f"{RELIABILITY}export.csv", MEMBERS),
    Route(f"{RELIABILITY}<uuid:uuid>/", OF_BOTH - who("machine"), of("reliability")),
    Route(f"{RELIABILITY}<uuid:uuid>/{MOVE}", None, of("reliability", name="answer"), (Write(FILERS - who("machine"), SAID),)),
    Route(f"{API}reliability-findings/", CALLERS),
    Route(f"{API}reliability-findings/{ID}", OF_BOTH, of("reliability")),
    Route(f"{API}reliability-findings/{ID}versions/", OF_BOTH, of("reliability")),
    Route(f"{API}reliability-findings/{ID}{MOVE}", None, of("reliability", name="close"), (Write(GRID, SAID),)),
    Route(ALARMS, SIGNED_IN),
    Route(f"{ALARMS}<uuid:uuid>/", PEOPLE_OF_GRID, of("alarm")),
    Route(f"{ALARMS}<uuid:uuid>/benefit/", PEOPLE_OF_GRID, of("alarm")),
    Route(f"{ALARMS}<uuid:uuid>/{MOVE}", None, of("alarm", name="deactivate"), (Write(GRID, SAID),)),
    Route(f"{API}transformer-alarms/", CALLERS),
    Route(f"{API}transformer-alarms/{ID}", OF_GRID, of("alarm")),
    Route(f"{API}transformer-alarms/{ID}versions/", OF_GRID, of("alarm")),
    Route(f"{API}transformer-alarms/{ID}benefit/", OF_GRID, of("alarm")),
    Route(f"{API}transformer-alarms/{ID}{MOVE}", None, of("alarm", name="deactivate"), (Write(GRID, SAID),)),
    Route(CONNECTIONS, SIGNED_IN),
    Route(f"{CONNECTIONS}new/", ANY_GRID, writes=(Write(GRID, studied_by_form),)),
    Route(f"{CONNECTIONS}<uuid:uuid>/", PEOPLE_OF_GRID, of("interconnection")),
    Route(f"{CONNECTIONS}<uuid:uuid>/adopt/", DECIDERS, of("interconnection"), (Write(DECIDERS, row_to_adopt),)),
    Route(f"{CONNECTIONS}settings/", SIGNED_IN),
    Route(f"{CONNECTIONS}settings/new/", TELLERS, writes=(Write(FILERS - who("machine"), settings_by_form),)),
    Route(f"{CONNECTIONS}settings/<int:pk>/", OF_BOTH - who("machine"), read_back),
    Route(f"{API}interconnection-studies/", CALLERS, writes=(Write(GRID, studied),)),
    Route(f"{API}interconnection-studies/{ID}", OF_GRID, of("interconnection")),
    Route(f"{API}interconnection-studies/{ID}versions/", OF_GRID, of("interconnection")),
    Route(f"{API}interconnection-studies/{ID}adopt/", None, of("interconnection"), (Write(DECIDERS, to_adopt),)),
    Route(f"{API}settings-readbacks/", CALLERS, writes=(Write(FILERS | who("machine"), told_settings),)),
    Route(f"{API}settings-readbacks/<int:pk>/", OF_BOTH, read_back),
    Route(f"{API}settings-readbacks/batch/", None, writes=(Write(FILERS | who("machine"), told_in_batch),)),
    Route(SCREENS, SIGNED_IN),
    Route(f"{SCREENS}of/<uuid:review>/", OF_BOTH - who("machine"), lambda scene: {"review": scene.review.uuid}),
    Route(f"{SCREENS}<uuid:uuid>/", PEOPLE_OF_GRID, of("review_screen")),
    Route(f"{SCREENS}<uuid:uuid>/adopt/", DECIDERS, of("review_screen"), (Write(DECIDERS, {"rows": [2]}),)),
    Route(f"{SCREENS}<uuid:uuid>/{MOVE}", None, of("review_screen", name="again"), (Write(DECIDERS),)),
    Route(f"{API}review-screens/", CALLERS),
    Route(f"{API}review-screens/{ID}", OF_GRID, of("review_screen")),
    Route(f"{API}review-screens/{ID}versions/", OF_GRID, of("review_screen")),
    Route(f"{API}review-screens/{ID}adopt/", None, of("review_screen"), (Write(DECIDERS, {"rows": [2]}),)),
    Route(f"{API}review-screens/{ID}{MOVE}", None, of("review_screen", name="again"), (Write(DECIDERS, {}),)),
    Route(f"{API}screen-findings/", CALLERS),
    Route(f"{API}screen-findings/<int:pk>/", OF_BOTH, lambda scene: {"pk": scene.screen_finding.pk}),
    Route(HOSTING, SIGNED_IN),
    Route(f"{HOSTING}new/", ANY_GRID, writes=(Write(GRID, unmapped),)),
    Route(f"{HOSTING}<uuid:uuid>/", PEOPLE_OF_GRID, of("hosting_map")),
    Route(f"{HOSTING}<uuid:uuid>/nodes/", PEOPLE_OF_GRID, of("hosting_map")),
    Route(f"{HOSTING}<uuid:uuid>/nodes/export.csv", PEOPLE_OF_GRID, of("hosting_map")),
    Route(f"{HOSTING}<uuid:uuid>/{MOVE}", None, of("hosting_map", name="again"), (Write(GRID),)),
    Route(f"{API}hosting-maps/", CALLERS, writes=(Write(GRID, unmapped),)),
    Route(f"{API}hosting-maps/{ID}", OF_GRID, of("hosting_map")),
    Route(f"{API}hosting-maps/{ID}versions/", OF_GRID, of("hosting_map")),
    Route(f"{API}hosting-maps/{ID}{MOVE}", None, of("hosting_map", name="again"), (Write(GRID, {}),)),
    Route(f"{API}hosting-nodes/", CALLERS),
    Route(f"{API}hosting-nodes/<int:pk>/", OF_GRID, lambda scene: {"pk": scene.hosting_node.pk}),
    Route(RESPONSES, SIGNED_IN),
    Route(f"{RESPONSES}to/<uuid:uuid>/", FILERS - who("machine"), of("answered_outage"), (Write(FILERS - who("machine"), answer_by_form),)),
    Route(f"{RESPONSES}<uuid:uuid>/", OF_BOTH - who("machine"), of("outage_response")),
    Route(f"{RESPONSES}<uuid:uuid>/{MOVE}", None, of("outage_response", name="grant"), (Write(GRID),)),
    Route(f"{API}outage-responses/", CALLERS, writes=(Write(FILERS | who("machine"), answer),)),
    Route(f"{API}outage-responses/offers/<uuid:outage>/", FILERS | who("machine"), lambda scene: {"outage": scene.answered_outage.uuid}),
    Route(f"{API}outage-responses/{ID}", OF_BOTH, of("outage_response")),
    Route(f"{API}outage-responses/{ID}versions/", OF_BOTH, of("outage_response")),
    Route(f"{API}outage-responses/{ID}{MOVE}", None, of("outage_response", name="grant"), (Write(GRID, {}),)),
    Route(f"{OUTAGES}log/", SIGNED_IN),
    Route(f"{OUTAGES}log/export.csv", MEMBERS),
    # the API
    Route(f"{API}outages/", CALLERS, writes=(Write(FILERS | who("machine"), outages),)),
    Route(f"{API}outages/{ID}", OF_BOTH, of("outage")),
    Route(f"{API}outages/{ID}versions/", OF_BOTH, of("outage")),
    Route(f"{API}outages/{ID}{MOVE}", None, of("outage", name="end"), (Write(FILERS | who("machine"), {}),)),
    Route(f"{API}grid-events/", CALLERS, writes=(Write(ANY_GRID, EVENT | {"starts_at": "2026-01-01T00:00:00Z"}),)),
    Route(f"{API}grid-events/{ID}", OF_BOTH, of("grid_event")),
    Route(f"{API}grid-events/{ID}versions/", OF_BOTH, of("grid_event")),
    Route(f"{API}grid-events/{ID}{MOVE}", None, of("grid_event", name="restore"), (Write(GRID, {}),)),
    Route(f"{API}grid-events/{ID}reschedule/", None, of("grid_event"), (Write(GRID, times("grid_event")),)),
    Route(f"{API}log/", CALLERS),
    Route(f"{API}log/<int:pk>/", OF_BOTH, lambda scene: {"pk": scene.operational_log.pk}),
    Route(f"{API}states/", CALLERS),
    Route(f"{API}states/<int:pk>/", OF_BOTH, state),
    Route(f"{API}states/<int:pk>/readings/", OF_BOTH, state),
    Route(f"{API}telemetry/", None, writes=(Write(GRID | FILERS | who("machine", "tso:administrator"), readings),)),
    Route(f"{API}networks/", CALLERS, writes=(Write(ANY_GRID, sent, query="?feeder=F1&source=table"),)),
    Route(f"{API}networks/{ID}", OF_UTILITY, of("network")),
    *(Route(f"{API}networks/{ID}{below}/", OF_UTILITY, of("network")) for below in ("findings", "elements", "points")),
    Route(f"{API}networks/{ID}{MOVE}", None, of("network", name="approve"), (Write(GRID, {}),)),
    Route(f"{API}envelopes/", CALLERS),
    Route(f"{API}envelopes/<int:pk>/", OF_BOTH, envelope),
    Route(f"{API}envelope-runs/", CALLERS, writes=(Write(GRID, window),)),
    Route(f"{API}envelope-runs/{ID}", OF_UTILITY, of("envelope_run")),
    Route(f"{API}envelope-runs/{ID}bindings/", OF_UTILITY, of("envelope_run")),
    Route(f"{API}envelope-runs/{ID}edit/", None, of("envelope_run"), (Write(GRID, limited),)),
    Route(f"{API}envelope-runs/{ID}{MOVE}", None, of("envelope_run", name="publish"), (Write(GRID, {}),)),
    Route(f"{API}envelope-receipts/", CALLERS),
    Route(f"{API}envelope-receipts/stream/", CALLERS),
    Route(f"{API}envelope-receipts/{ID}", OF_BOTH, of("envelope_receipt")),
    Route(f"{API}envelope-receipts/{ID}{MOVE}", None, of("envelope_receipt", name="acknowledge"), (Write(FILERS | who("machine"), {}),)),
)
