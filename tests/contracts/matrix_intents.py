"""The part of the access matrix about notices of intent: pages and API."""

from tests.contracts.matrix import Route, Write
from tests.contracts.matrix_api import API, CALLERS, ID
from tests.contracts.matrix_filing import ANY_FILERS, DECIDERS, FILERS, of
from tests.contracts.scene import OVERSEERS, SIGNED_IN, UTILITY, Scene, who

BASE, REST = "registry/intents/", f"{API}intents/"
ONE = f"{BASE}<uuid:uuid>/"
SEES = who("aggregator:*") | UTILITY | OVERSEERS
ROW = {"reference": "I-9", "der_type": "photovoltaic", "nameplate_ac_kw": "5", "usage_point_id": "edc-up-01", "account": "A-9"}


def new(scene: Scene) -> dict:
    return {"edc": scene.world.edc.pk, "title": "Elm Street", "points": "I-9; photovoltaic; 5; edc-up-01; A-9; 1 Elm Street"}


ROUTES = (
    Route(BASE, SIGNED_IN),
    Route(f"{BASE}new/", ANY_FILERS, writes=(Write(FILERS, new),)),
    Route(ONE, SEES, of("intent")),
    Route(f"{ONE}answer/", DECIDERS, of("intent"), (Write(DECIDERS, {"points": "I-1; edc-up-01; A-9; "}),)),
    Route(f"{ONE}correct/", FILERS, of("intent_answered"), (Write(FILERS, {"points": "I-1; photovoltaic; 5; edc-up-02; A-9"}),)),
    Route(f"{ONE}file/", FILERS, of("intent_settled"), (Write(FILERS, {}),)),
    Route(f"{ONE}transitions/<slug:name>/", None, of("intent", name="withdraw"), (Write(FILERS, {"reason": "Sold"}),)),
    Route(REST, CALLERS, writes=(Write(FILERS | who("machine"), {"edc": "edc", "title": "Elm Street", "points": [ROW]}),)),
    Route(f"{REST}{ID}", SEES | who("machine"), of("intent")),
    Route(
        f"{REST}{ID}transitions/<slug:name>/",
        None,
        of("intent", name="answer"),
        (
            Write(DECIDERS, {"points": [{"reference": "I-1", "remark": "Not ours"}]}, name="answer"),
            Write(
                FILERS | who("machine"),
                {"points": [ROW | {"reference": "I-1"}]},
                of("intent_answered", name="correct"),
                name="correct",
            ),
            Write(FILERS | who("machine"), {"reason": "Sold"}, of("intent", name="withdraw"), name="withdraw"),
        ),
    ),
    Route(
        f"{API}submissions/settled/",
        None,
        writes=(Write(FILERS | who("machine"), lambda scene: {"notice": str(scene.intent_settled.uuid)}),),
    ),
)
