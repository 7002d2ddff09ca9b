"""The part of the access matrix for qualification: verdicts, overrides, the RTO's decisions, changes of the law."""

from django.utils import timezone

from tests.contracts.matrix import PARTIES as PEOPLE
from tests.contracts.matrix import Route, Write
from tests.contracts.matrix_api import API, CALLERS, ID
from tests.contracts.matrix_filing import SUBMITTERS, of
from tests.contracts.scene import MEMBERS, OPERATORS, SIGNED_IN, Scene, who
from tests.contracts.scene_prequalification import OVERRIDDEN

HERE = "registry/prequalification/"
PARTIES = PEOPLE | who("machine")
SELLERS = who("aggregator:*", "tso:*", "machine")
RTO = who("tso:administrator")
OVERRIDERS = who("edc:approver|administrator", "rerra:administrator")
LAWYERS = who("*:administrator", "tso2:administrator", "rerra2:administrator", "operator2:administrator") - who(
    "aggregator:administrator", "edc:administrator"
)
SAID = {"statement": "Which meters?"}
CHANGE_SEEN = who("tso:*") | OPERATORS
SCHEDULERS = who("operator:administrator", "operator2:administrator")  # the RTO's administrator has drafted it
AGGREGATION, CHANGE = f"{HERE}aggregations/<uuid:uuid>/", f"{HERE}rule-changes/<uuid:uuid>/"
API_CHANGE = f"api/v1/rule-changes/{ID}"


def today() -> str:
    return str(timezone.localdate())


def new_change(scene: Scene) -> dict:
    return {"organization": scene.world.tso.pk, "key": "max_der_kw", "value": "9", "starts_on": today(), "source": "An order"}


def registered(scene: Scene) -> dict:
    return {"market_id": "R-1", "effective_on": today()}


def overridden(scene: Scene) -> dict:
    return {"uuid": scene.der.uuid, "service": OVERRIDDEN}


def pk_of(name: str):
    return lambda scene: {"pk": getattr(scene, name).pk}


def direction(scene: Scene) -> dict:
    return {"uuid": scene.rule_change.uuid, "direction": "break"}


PORTAL = (
    Route(HERE, SIGNED_IN),
    Route(f"{HERE}export.csv", MEMBERS),
    Route(f"{HERE}aggregations/", SIGNED_IN),
    Route(AGGREGATION, PEOPLE, of("aggregation")),
    Route(f"{AGGREGATION}register/", RTO, of("ready"), (Write(RTO, registered),)),
    Route(f"{AGGREGATION}deny/", RTO, of("aggregation"), (Write(RTO, {"rule": "PQ-AGG-UNSTATED"}),)),
    Route(f"{AGGREGATION}ask/", RTO, of("ready"), (Write(RTO, SAID),)),
    Route(f"{AGGREGATION}return/", RTO, of("ready"), (Write(RTO, SAID),)),
    Route(f"{AGGREGATION}answer/", SUBMITTERS - who("machine"), of("asked"), (Write(SUBMITTERS - who("machine"), {"text": "These"}),)),
    Route(f"{AGGREGATION}suspend/", RTO, of("failing"), (Write(RTO, {"rule": "PQ-AGG-EMPTY"}),)),
    Route(f"{AGGREGATION}reinstate/", RTO, of("suspended"), (Write(RTO, SAID),)),
    Route(
        f"{AGGREGATION}override/",
        OVERRIDERS,
        of("aggregation"),
        (Write(OVERRIDERS, {"service": "energy", "eligible": "no", "reason": "Its feeder"}),),
    ),
    Route(f"{AGGREGATION}override/<slug:service>/end/", OVERRIDERS, of("aggregation", service="energy"), (Write(OVERRIDERS),)),
    Route(f"{HERE}ders/<uuid:uuid>/", PEOPLE, of("der")),
    Route(
        f"{HERE}ders/<uuid:uuid>/override/",
        OVERRIDERS,
        of("der"),
        (Write(OVERRIDERS, {"service": "energy", "eligible": "no", "reason": "Its feeder"}),),
    ),
    Route(f"{HERE}ders/<uuid:uuid>/override/<slug:service>/end/", OVERRIDERS, overridden, (Write(OVERRIDERS),)),
    Route(f"{HERE}rule-changes/", SIGNED_IN),
    Route(f"{HERE}rule-changes/new/", LAWYERS, writes=(Write(RTO, new_change),)),
    Route(CHANGE, CHANGE_SEEN, of("rule_change")),
    Route(f"{CHANGE}<slug:direction>/", CHANGE_SEEN, direction),
    Route(f"{CHANGE}<slug:direction>/export.csv", CHANGE_SEEN, direction),
    Route(f"{CHANGE}<slug:direction>/export.xlsx", CHANGE_SEEN, direction, (Write(CHANGE_SEEN),)),
    Route(
        f"{CHANGE}transitions/<slug:name>/",
        None,
        of("rule_change", name="schedule"),
        (
            Write(SCHEDULERS, {}, name="schedule", people=True),
            Write(SCHEDULERS | RTO, {}, of("rule_change", name="withdraw"), name="withdraw"),
        ),
    ),
)

PROGRAMS = (
    Route(f"{API}qualifications/", CALLERS),
    Route(f"{API}qualifications/<int:pk>/", PARTIES, pk_of("verdict")),
    Route(f"{API}broken-rules/", CALLERS),
    Route(f"{API}broken-rules/<int:pk>/", PARTIES, pk_of("broken")),
    Route(
        f"{API}qualification-overrides/",
        CALLERS,
        writes=(
            Write(OVERRIDERS, lambda scene: {"der": str(scene.der.uuid), "service": "energy", "eligible": False, "reason": "Its feeder"}),
        ),
    ),
    Route(f"{API}qualification-overrides/{ID}", PARTIES, of("override")),
    Route(f"{API}qualification-overrides/{ID}end/", None, of("override"), (Write(OVERRIDERS),)),
    Route(
        f"{API}market-decisions/",
        CALLERS,
        writes=(
            Write(RTO, lambda scene: {"aggregation": str(scene.ready.uuid), "kind": "register", **registered(scene)}, name="register"),
            Write(RTO, lambda scene: {"aggregation": str(scene.aggregation.uuid), "kind": "deny", "rule": "PQ-AGG-UNSTATED"}, name="deny"),
        ),
    ),
    Route(f"{API}market-decisions/{ID}", SELLERS, of("market_decision")),
    Route(f"{API}market-decisions/{ID}answer/", None, of("question"), (Write(SUBMITTERS, {"answer": "These"}),)),
    Route("api/v1/rule-changes/", CALLERS, writes=(Write(RTO, lambda scene: {**new_change(scene), "organization": "tso", "value": 9}),)),
    Route(API_CHANGE, CHANGE_SEEN, of("rule_change")),
    Route(f"{API_CHANGE}preview/", CHANGE_SEEN, of("rule_change")),
    Route(
        f"{API_CHANGE}transitions/<slug:name>/",
        None,
        of("rule_change", name="schedule"),
        (
            Write(SCHEDULERS, {}, name="schedule", people=True),
            Write(SCHEDULERS | RTO, {}, of("rule_change", name="withdraw"), name="withdraw"),
        ),
    ),
)

ROUTES = (*PORTAL, *PROGRAMS)
