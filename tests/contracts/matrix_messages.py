"""The part of the access matrix for how parties are told: preferences, webhooks and their deliveries."""

from datetime import timedelta

from django.utils import timezone

from tests.contracts.matrix import LETTING_IN, Route, Write
from tests.contracts.matrix_api import CALLERS, ID
from tests.contracts.matrix_filing import of
from tests.contracts.scene import NOBODY, SIGNED_IN, Scene, who

ADMINISTRATOR = who("edc:administrator")
PLACED = {"name": "Another", "address": "https://localhost/other", "events": ["decision"]}
ADMINISTRATORS = LETTING_IN | who("operator:administrator", "operator2:administrator")
WEBHOOKS, API = "webhooks/", "api/v1/webhooks/"
PREFERENCES = [{"event": "decision", "in_app": True, "by_email": False}]


def placed(scene: Scene) -> dict:
    return {**PLACED, "organization": scene.world.edc.pk}


def since(scene: Scene) -> dict:
    return {"since": timezone.localdate().isoformat()}


def since_moment(scene: Scene) -> dict:
    return {"since": (timezone.now() - timedelta(days=1)).isoformat()}


def sent(scene: Scene) -> dict:
    return {"uuid": scene.webhook.uuid, "delivery": scene.delivery.uuid}


MOVES = tuple(Write(ADMINISTRATOR, {}, of("webhook", name=name), name=name) for name in ("pause", "end"))
ROUTES = (
    Route("notices/preferences/", SIGNED_IN, writes=(Write(SIGNED_IN, {"decision": ["in_app"]}),)),
    # letters, which the scene's records do not have yet (tests of letters)
    Route("organization/admissions/<uuid:uuid>/letter.pdf", NOBODY, of("admission")),
    Route("api/v1/admissions/<uuid:uuid>/letter/", NOBODY, of("admission")),
    Route("api/v1/registry/market-decisions/<uuid:uuid>/letter/", NOBODY, of("market_decision")),
    Route("registry/prequalification/aggregations/<uuid:uuid>/certificate.pdf", NOBODY, of("aggregation")),
    Route(WEBHOOKS, ADMINISTRATORS),
    Route(f"{WEBHOOKS}new/", ADMINISTRATORS, writes=(Write(ADMINISTRATOR, placed),)),
    Route(f"{WEBHOOKS}{ID}", ADMINISTRATOR, of("webhook")),
    Route(f"{WEBHOOKS}{ID}change/", ADMINISTRATOR, of("webhook"), (Write(ADMINISTRATOR, PLACED),)),
    Route(f"{WEBHOOKS}{ID}replay/", None, of("webhook"), (Write(ADMINISTRATOR, since),)),
    Route(f"{WEBHOOKS}{ID}secret/", None, of("webhook"), (Write(ADMINISTRATOR),)),
    Route(f"{WEBHOOKS}{ID}test/", None, of("webhook"), (Write(ADMINISTRATOR),)),
    Route(f"{WEBHOOKS}{ID}transitions/<slug:name>/", None, of("webhook", name="pause"), MOVES),
    Route(f"{WEBHOOKS}{ID}deliveries/", ADMINISTRATOR, of("webhook")),
    Route(f"{WEBHOOKS}deliveries/{ID}", ADMINISTRATOR, of("delivery")),
    Route(f"{WEBHOOKS}deliveries/{ID}send/", None, of("delivery"), (Write(ADMINISTRATOR),)),
    # the API
    Route("api/v1/notices/preferences/", CALLERS, writes=(Write(CALLERS, lambda scene: PREFERENCES),)),
    Route("api/v1/changes/", CALLERS),
    Route(API, CALLERS, writes=(Write(ADMINISTRATOR, {**PLACED, "organization": "edc"}),)),
    Route(f"{API}{ID}", ADMINISTRATOR, of("webhook"), (Write(ADMINISTRATOR, PLACED, method="put"),)),
    Route(f"{API}{ID}secret/", None, of("webhook"), (Write(ADMINISTRATOR),)),
    Route(f"{API}{ID}test/", None, of("webhook"), (Write(ADMINISTRATOR),)),
    Route(f"{API}{ID}replay/", None, of("webhook"), (Write(ADMINISTRATOR, since_moment),)),
    Route(f"{API}{ID}transitions/<slug:name>/", None, of("webhook", name="pause"), MOVES),
    Route(f"{API}{ID}deliveries/", ADMINISTRATOR, of("webhook")),
    Route(f"{API}{ID}deliveries/<uuid:delivery>/send/", None, sent, (Write(ADMINISTRATOR),)),
)
