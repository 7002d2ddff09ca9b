"""The part of the access matrix for what a utility administers: grid records and their loads, its own settings, its take-outs."""

from collections.abc import Callable

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.contracts.matrix import AUDITORS, Route, Write
from tests.contracts.matrix_api import API, CALLERS, ID, OF_UTILITY
from tests.contracts.matrix_filing import of
from tests.contracts.scene import MEMBERS, SIGNED_IN, Scene, who

GRID = who("edc:administrator")
ANY_GRID = GRID | who("edc2:administrator")


def kind(scene: Scene) -> dict:
    return {"kind": "feeders"}


def feeder(scene: Scene) -> dict:
    return {"kind": "feeders", "pk": scene.world.feeders["edc"][0].pk}


def grid_file(of_edc: bool) -> Callable[[Scene], dict]:
    """A load's form, with the utility's name or without."""

    def body(scene: Scene) -> dict:
        file = SimpleUploadedFile("grid.csv", b"code,feeder\nT-A,F1\n", "text/csv")
        named = {"kind": "transformers", "rows": "all", "edc": scene.world.edc.pk} if of_edc else {}
        return {"file": file, **named}

    return body


def first_of(model: str) -> Callable[[Scene], dict]:
    return lambda scene: {"pk": getattr(scene.world.edc, model).first().pk}


LOADS, ONE_LOAD = "registry/grid/loads/", "registry/grid/loads/<uuid:uuid>/"
GRID_ROUTES = (
    Route("registry/grid/", SIGNED_IN),
    Route("registry/grid/<slug:kind>/", SIGNED_IN, kind),
    Route("registry/grid/<slug:kind>/export.csv", MEMBERS, kind),
    Route("registry/grid/<slug:kind>/export.xlsx", MEMBERS, kind, (Write(MEMBERS),)),
    Route("registry/grid/<slug:kind>/template.csv", SIGNED_IN, kind),
    Route("registry/grid/<slug:kind>/template.xlsx", SIGNED_IN, kind),
    Route("registry/grid/<slug:kind>/<int:pk>/", OF_UTILITY, feeder),
    Route(LOADS, SIGNED_IN),
    Route(f"{LOADS}new/", ANY_GRID, writes=(Write(GRID, grid_file(True)),)),
    Route(ONE_LOAD, OF_UTILITY, of("grid_load")),
    Route(f"{ONE_LOAD}progress/", OF_UTILITY, of("grid_load")),
    Route(f"{ONE_LOAD}transitions/<slug:name>/", None, of("grid_load", name="take_good"), (Write(GRID, {}),)),
    # the API
    *(
        route
        for name, related in (("td-interfaces", "td_interfaces"), ("substations", "substations"), ("transformers", "transformers"))
        for route in (Route(f"{API}{name}/", CALLERS), Route(f"{API}{name}/<int:pk>/", OF_UTILITY, first_of(related)))
    ),
    Route(f"{API}grid-loads/", CALLERS, writes=(Write(GRID, grid_file(False), query="?kind=transformers&utility=edc"),)),
    Route(f"{API}grid-loads/{ID}", OF_UTILITY, of("grid_load")),
    Route(f"{API}grid-loads/{ID}findings/", OF_UTILITY, of("grid_load")),
    Route(f"{API}grid-loads/{ID}transitions/<slug:name>/", None, of("grid_load", name="take_good"), (Write(GRID, {}),)),
)

ADMINISTRATORS = who("edc:administrator")
TAKERS = who("aggregator:administrator", "edc:administrator", "aggregator2:administrator", "edc2:administrator")
EVERY_ADMINISTRATOR = who("*:administrator", *(f"{kind}2:administrator" for kind in ("aggregator", "edc", "tso", "rerra", "operator")))
HERE, OWN = "registry/administration/", "registry/administration/<slug:slug>/"


def utility(**further) -> Callable[[Scene], dict]:
    """The address of a page of the utility "edc"."""
    return lambda scene: {"slug": "edc", **further}


def rule(scene: Scene) -> dict:
    return {"slug": "edc", "uuid": scene.review_rule.uuid}


def today(**further) -> Callable[[Scene], dict]:
    return lambda scene: {"starts_on": str(timezone.localdate()), **further}


def in_force(**further) -> Callable[[Scene], dict]:
    return lambda scene: {"valid_from": str(timezone.localdate()), **further}


RULE = {"field": "serial_no", "kind": "required", "severity": "warning", "remedy": "Read it from the device."}
ADMINISTRATION = (
    Route(HERE, EVERY_ADMINISTRATOR),
    Route(f"{HERE}anonymisation/", AUDITORS),
    Route(f"{HERE}rules/", SIGNED_IN),
    Route(f"{OWN}rules/", ADMINISTRATORS, utility()),
    Route(f"{OWN}rules/new/", ADMINISTRATORS, utility(), (Write(ADMINISTRATORS, today(**RULE)),)),
    Route(f"{OWN}rules/<uuid:uuid>/change/", ADMINISTRATORS, rule, (Write(ADMINISTRATORS, today(**RULE)),)),
    Route(
        f"{OWN}rules/<uuid:uuid>/end/",
        ADMINISTRATORS,
        rule,
        (Write(ADMINISTRATORS, lambda scene: {"on": str(timezone.localdate())}),),
    ),
    Route(f"{OWN}practice/", ADMINISTRATORS, utility(), (Write(ADMINISTRATORS, today(limits_by_file="on")),)),
    Route(f"{OWN}letters/", ADMINISTRATORS, utility()),
    Route(f"{OWN}letters/<slug:kind>/", ADMINISTRATORS, utility(kind="decision"), (Write(ADMINISTRATORS, {"signature": "Another"}),)),
    Route(f"{OWN}letters/<slug:kind>/<int:version>.pdf", ADMINISTRATORS, utility(kind="decision", version=1)),
    Route(f"{OWN}retention/", ADMINISTRATORS, utility()),
    Route(
        f"{OWN}retention/<slug:data_class>/",
        ADMINISTRATORS,
        utility(data_class="evidence"),
        (Write(ADMINISTRATORS, today(days="4000")),),
    ),
    Route("takeouts/<slug:slug>/", ADMINISTRATORS, utility(), (Write(ADMINISTRATORS, {"purpose": "An audit"}),)),
    Route(f"{API}review-rules/", CALLERS, writes=(Write(ADMINISTRATORS, in_force(**RULE, edc="edc")),)),
    Route(f"{API}review-rules/{ID}", CALLERS, of("review_rule")),
    Route(f"{API}review-rules/{ID}versions/", CALLERS, of("review_rule")),
    Route(
        f"{API}review-rules/{ID}end/", None, of("review_rule"), (Write(ADMINISTRATORS, lambda scene: {"on": str(timezone.localdate())}),)
    ),
    Route("api/v1/takeouts/", CALLERS, writes=(Write(TAKERS, {"purpose": "An audit"}),)),
    Route(f"api/v1/takeouts/{ID}", ADMINISTRATORS, of("takeout")),
)

ROUTES = (*GRID_ROUTES, *ADMINISTRATION)
