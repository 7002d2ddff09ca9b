"""The access matrix: every address, who sees it, who may write there, and a body with which the writing succeeds.

A new address of the portal is a line here or, for filing and reviewing, in matrix_filing.py; a new record of the workplace a line in
matrix_admin.py; a new operation of the API a line in matrix_api.py. The test fails for an address without one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.contracts.scene import AGGREGATOR, EVERYBODY, MACHINES, MEMBERS, NOBODY, OVERSEERS, OWN, SIGNED_IN, UTILITY, Scene, who

Body = dict | Callable[[Scene], dict | list]
PARTIES = (AGGREGATOR | UTILITY | OVERSEERS) - MACHINES  # of what lies between "aggregator" and "edc"


@dataclass(frozen=True)
class Write:
    """One way to write at an address: who may, and what they send. `at` where it differs from the route's."""

    may: frozenset[str]
    body: Body = lambda scene: {}
    at: Callable[[Scene], dict] | None = None
    method: str = "post"
    name: str = ""


@dataclass(frozen=True)
class Route:
    """An address as the resolver knows it. `sees`: who reads it (None: nothing is read there)."""

    route: str
    sees: frozenset[str] | None
    at: Callable[[Scene], dict] = lambda scene: {}
    writes: tuple[Write, ...] = ()
    query: str = ""


# Addresses that decide nothing by who one is, or whose decisions have tests of their own.
EXEMPT = {
    "accounts/login/": "signing in",
    "accounts/logout/": "signing out",
    "accounts/inactive/": "says that an account is inactive",
    "accounts/reauthenticate/": "asks for one's own password",
    "accounts/email/": "one's own address",
    "accounts/confirm-email/": "one's own address",
    "^confirm-email/(?P<key>[-:\\w]+)/$": "the key decides",
    "accounts/password/change/": "one's own password",
    "accounts/password/set/": "one's own password",
    "accounts/password/reset/": "for whoever cannot sign in",
    "accounts/password/reset/done/": "for whoever cannot sign in",
    "accounts/password/reset/key/done/": "for whoever cannot sign in",
    "accounts/invitation/<str:key>/": "the key decides",
    "readyz": "for the load balancer; depends on the broker",
    "metrics": "for the collector, by address (moc.metrics)",
    "admin/jsi18n/": "translations of Django's own scripts",
    "api/v1/": "answers what no resource answers",
}

PORTAL = (
    Route("", SIGNED_IN),
    Route("state/", MEMBERS),
    Route("healthz", EVERYBODY),
    *(Route(f"help/{page}", SIGNED_IN) for page in ("", "data-dictionary/", "rules/", "lifecycles/", "roles/")),
    # DERs
    Route("registry/ders/", SIGNED_IN),
    Route("registry/ders/export.csv", MEMBERS),
    Route("registry/ders/export.xlsx", MEMBERS, writes=(Write(MEMBERS),)),
    Route("registry/ders/<uuid:uuid>/", PARTIES, lambda scene: {"uuid": scene.der.uuid}),
    Route("registry/ders/<uuid:uuid>/certificate.pdf", PARTIES, lambda scene: {"uuid": scene.der.uuid}),
    Route(
        "registry/ders/<uuid:uuid>/transitions/<slug:name>/",
        None,
        lambda scene: {"uuid": scene.der.uuid, "name": "activate"},
        (
            Write(who("aggregator:approver|administrator"), {}, name="activate"),
            Write(
                who("aggregator:approver|administrator"),
                {"reason": "dismantled"},
                lambda scene: {"uuid": scene.der.uuid, "name": "decommission"},
                name="decommission",
            ),
        ),
    ),
    Route("documents/<uuid:uuid>/", PARTIES, lambda scene: {"uuid": scene.document.uuid}),
    # one's own
    Route("jobs/", SIGNED_IN),
    Route("jobs/<uuid:uuid>/", who(OWN) | who("operator:*", "operator2:administrator"), lambda scene: {"uuid": scene.job.uuid}),
    Route("jobs/<uuid:uuid>/progress/", who(OWN) | who("operator:*", "operator2:administrator"), lambda scene: {"uuid": scene.job.uuid}),
    Route(
        "jobs/<uuid:uuid>/cancel/",
        None,
        lambda scene: {"uuid": scene.job.uuid},
        (Write(who(OWN, "operator:administrator", "operator2:administrator")),),
    ),
    Route("notices/", SIGNED_IN),
    Route("notices/read/", None, writes=(Write(who(OWN)),)),
    Route("notices/<uuid:uuid>/", who(OWN) | who("operator:*", "operator2:administrator"), lambda scene: {"uuid": scene.notice.uuid}),
    Route("accounts/profile/", SIGNED_IN),
    Route("accounts/profile/tokens/new/", SIGNED_IN, writes=(Write(SIGNED_IN, {"name": "A program"}),)),
    Route("accounts/profile/tokens/<uuid:uuid>/revoke/", None, lambda scene: {"uuid": scene.token.uuid}, (Write(who(OWN)),)),
)


def administrators(of: str) -> frozenset[str]:
    return who(f"{of}:administrator", "operator:administrator", "operator2:administrator")


def _member(scene: Scene) -> dict:
    return {"slug": "edc", "uuid": scene.seat.user.uuid}


MEMBERSHIP = (
    Route(
        "accounts/members/",
        who("*:administrator", *(f"{kind}2:administrator" for kind in ("aggregator", "edc", "tso", "rerra", "operator"))),
    ),
    Route("accounts/members/<slug:slug>/", administrators("edc"), lambda scene: {"slug": "edc"}),
    Route(
        "accounts/members/<slug:slug>/invite/",
        administrators("edc"),
        lambda scene: {"slug": "edc"},
        (Write(administrators("edc"), {"email": "new@example.org", "name": "New", "roles": ["viewer"]}),),
    ),
    Route(
        "accounts/members/<slug:slug>/<uuid:uuid>/",
        administrators("edc"),
        _member,
        (Write(administrators("edc"), {"roles": ["viewer", "reviewer"]}),),
    ),
    Route(
        "accounts/members/<slug:slug>/<uuid:uuid>/end/",
        administrators("edc"),
        _member,
        (Write(administrators("edc"), {"reason": "has left"}),),
    ),
    Route("accounts/members/<slug:slug>/<uuid:uuid>/invite-again/", None, _member, (Write(NOBODY, name="to a member who has accepted"),)),
)

ROUTES = (*PORTAL, *MEMBERSHIP)
