"""The part of the access matrix for public pages: everybody sees them, and what is published is the same for all."""

from tests.contracts.matrix import Route
from tests.contracts.matrix_api import CALLERS
from tests.contracts.scene import EVERYBODY

ROUTES = (
    *(Route(f"public/{page}", EVERYBODY) for page in ("", "aggregators/", "rules/", "data/")),
    Route("public/data/<slug:name>.csv", EVERYBODY, lambda scene: {"name": "figures"}),
    Route("api/v1/published-figures/", CALLERS),
    Route("api/v1/published-figures/<int:pk>/", CALLERS, lambda scene: {"pk": scene.published.pk}),
)
