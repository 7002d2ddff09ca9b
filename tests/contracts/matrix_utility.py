"""The part of the access matrix for what a utility administers: grid records and their loads."""

from collections.abc import Callable

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.contracts.matrix import Route, Write
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
    Route(f"{API}grid-loads/", CALLERS),
    Route(f"{API}grid-loads/", None, query="?kind=transformers&utility=edc", writes=(Write(GRID, grid_file(False)),)),
    Route(f"{API}grid-loads/{ID}", OF_UTILITY, of("grid_load")),
    Route(f"{API}grid-loads/{ID}findings/", OF_UTILITY, of("grid_load")),
    Route(f"{API}grid-loads/{ID}transitions/<slug:name>/", None, of("grid_load", name="take_good"), (Write(GRID, {}),)),
)

ROUTES = GRID_ROUTES
