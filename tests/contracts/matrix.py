"""The access matrix: every address, who sees it, who may write there, and a body with which the writing succeeds.

A new address of the portal is a line here or, for filing and reviewing, in matrix_filing.py; a new record of the workplace a line in
matrix_admin.py; a new operation of the API a line in matrix_api.py. The test fails for an address without one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from joserfc.jwk import ECKey

from registry.ders.models import Der
from tests.contracts.scene import AGGREGATOR, EVERYBODY, MACHINES, MEMBERS, NOBODY, OVERSEERS, OWN, SIGNED_IN, UTILITY, Scene, who

Body = dict | Callable[[Scene], dict | list]
PARTIES = (AGGREGATOR | UTILITY | OVERSEERS) - MACHINES  # of what lies between "aggregator" and "edc"


@dataclass(frozen=True)
class Write:
    """One way to write at an address: who may, and what they send. `at` and `query` where they differ from the route's.

    `people`: no machine client may, whatever its role. `held`: the holder may, who is a person; their machines may not.
    """

    may: frozenset[str]
    body: Body = lambda scene: {}
    at: Callable[[Scene], dict] | None = None
    method: str = "post"
    name: str = ""
    query: str = ""
    people: bool = False
    held: bool = False


@dataclass(frozen=True)
class Route:
    """An address as the resolver knows it. `sees`: who reads it (None: nothing is read there). `held`: its holder does, who is a person."""

    route: str
    sees: frozenset[str] | None
    at: Callable[[Scene], dict] = lambda scene: {}
    writes: tuple[Write, ...] = ()
    query: str = ""
    held: bool = False


SECOND_FACTOR = (
    *("", "authenticate/", "reauthenticate/", "totp/activate/", "totp/deactivate/"),
    *("recovery-codes/", "recovery-codes/generate/", "recovery-codes/download/"),
    *("webauthn/", "webauthn/add/", "webauthn/reauthenticate/", "webauthn/login/"),
    *("webauthn/keys/<int:pk>/remove/", "webauthn/keys/<int:pk>/edit/"),
)

# Addresses that decide nothing by who one is, or whose decisions have tests of their own.
EXEMPT = {
    "oauth/token/": "a client's proof decides (tests of machine clients)",
    "oauth/revoke/": "a client's proof decides",
    ".well-known/oauth-authorization-server": "for everybody",
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
    "registry/owners/welcome/<str:key>/": "the key decides",
    "accounts/sign-up/": "for whoever comes",
    "accounts/sign-up/terms/": "for whoever comes",
    "accounts/sign-up/<str:key>/": "the key decides",
    "accounts/login/organization/": "signing in",
    "accounts/oidc/<str:provider_id>/login/": "signing in",
    "accounts/oidc/<str:provider_id>/login/callback/": "signing in",
    **dict.fromkeys((f"accounts/2fa/{page}" for page in SECOND_FACTOR), "one's own second factor"),
    "verify/": "for everybody; the code decides (tests of letters)",
    "readyz": "for the load balancer; depends on the broker",
    "metrics": "for the collector, by address (moc.metrics)",
    "admin/jsi18n/": "translations of Django's own scripts",
    "api/v1/": "answers what no resource answers",
}

SECOND_ADMINISTRATORS = who(*(f"{kind}2:administrator" for kind in ("aggregator", "edc", "tso", "rerra", "operator")))
AUDITORS = who("*:auditor|administrator") | SECOND_ADMINISTRATORS
STAFF = who("operator:*")
LETTING_IN = who("*:administrator", *(f"{kind}2:administrator" for kind in ("aggregator", "edc", "tso", "rerra"))) - STAFF


def let_in(scene: Scene) -> dict:
    return {"organization": scene.world.edc.pk, "operator": scene.world.operator.pk, "scope": "act", "days": 1, "reason": "Case 2"}


def newer() -> SimpleUploadedFile:
    return SimpleUploadedFile("study-2.pdf", b"%PDF-1.7 measured again", "application/pdf")


def tenure_ended(scene: Scene) -> dict:
    return {
        "verb": "end",
        "on": timezone.localdate() + timedelta(days=2),
        "reason": "Left",
        "number": Der.objects.filter(edc=scene.world.edc).count(),
    }


PORTAL = (
    Route("", SIGNED_IN),
    Route("state/", MEMBERS),
    Route("healthz", EVERYBODY),
    *(Route(f"help/{page}", SIGNED_IN) for page in ("", "data-dictionary/", "data-governance/", "rules/", "lifecycles/", "roles/")),
    *(Route(f"help/{page}", SIGNED_IN) for page in ("machines/", "sign-in/")),
    # DERs
    Route("registry/ders/", SIGNED_IN),
    Route("registry/ders/export.csv", MEMBERS),
    Route(
        "registry/ders/tenure/",
        who("edc:approver|administrator", "edc2:administrator"),
        writes=(Write(who("edc:approver|administrator"), tenure_ended),),
    ),
    Route("registry/ders/export.xlsx", MEMBERS, writes=(Write(MEMBERS),)),
    Route("registry/ders/<uuid:uuid>/", PARTIES, lambda scene: {"uuid": scene.der.uuid}),
    Route("registry/ders/<uuid:uuid>/certificate.pdf", PARTIES, lambda scene: {"uuid": scene.der.uuid}),
    Route("documents/<uuid:uuid>/", PARTIES, lambda scene: {"uuid": scene.document.uuid}),
    Route("documents/<uuid:uuid>/versions/", PARTIES, lambda scene: {"uuid": scene.document.uuid}),
    Route(
        "documents/<uuid:uuid>/versions/new/",
        who("edc:reviewer|approver|administrator"),
        lambda scene: {"uuid": scene.document.uuid},
        (Write(who("edc:reviewer|approver|administrator"), lambda scene: {"file": newer()}),),
    ),
    Route("access-log/", AUDITORS),
    Route("access-log/export.csv", AUDITORS),
    Route("access-log/exports/", AUDITORS),
    Route("access-log/exports/export.csv", AUDITORS),
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
    Route("notices/<uuid:uuid>/", who(OWN), lambda scene: {"uuid": scene.notice.uuid}),
    # support access
    Route("support/", SIGNED_IN),
    Route("support/new/", LETTING_IN, writes=(Write(who("edc:administrator"), let_in),)),
    Route("support/<uuid:uuid>/", UTILITY | STAFF | OVERSEERS, lambda scene: {"uuid": scene.support.uuid}),
    Route("support/<uuid:uuid>/revoke/", None, lambda scene: {"uuid": scene.support.uuid}, (Write(who("edc:administrator")),)),
    Route("support/<uuid:uuid>/enter/", None, lambda scene: {"uuid": scene.support.uuid}, (Write(STAFF),)),
    Route("support/leave/", None, writes=(Write(NOBODY, name="when nobody acts for anybody"),)),
    Route("accounts/profile/", SIGNED_IN),
    Route("accounts/profile/tokens/new/", SIGNED_IN, writes=(Write(SIGNED_IN, {"name": "A program"}),)),
    Route("accounts/profile/tokens/<uuid:uuid>/revoke/", None, lambda scene: {"uuid": scene.token.uuid}, (Write(who(OWN)),)),
    Route("accounts/sessions/", SIGNED_IN, writes=(Write(who(OWN, "edc:viewer")),)),  # of whom the scene holds sessions
)


def administrators(of: str) -> frozenset[str]:
    return who(f"{of}:administrator")


def _member(scene: Scene) -> dict:
    return {"slug": "edc", "uuid": scene.seat.user.uuid}


def _of(name: str) -> Callable[[Scene], dict]:
    """Something of the utility."""
    return lambda scene: {"slug": "edc", "uuid": getattr(scene, name).uuid}


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
        (
            Write(administrators("edc"), {"email": "new@example.org", "name": "New", "roles": ["viewer"]}),
            Write(
                who("operator:administrator", "operator2:administrator"),
                {"email": "first@example.org", "name": "First", "roles": ["administrator"]},
                lambda scene: {"slug": "newcomer"},
                name="the first of an organization",
            ),
        ),
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
    Route("accounts/members/<slug:slug>/<uuid:uuid>/sessions/", administrators("edc"), _member, (Write(administrators("edc")),)),
    Route("accounts/members/<slug:slug>/<uuid:uuid>/unlock/", None, _member, (Write(administrators("edc")),)),
    Route("accounts/members/<slug:slug>/invitations/<uuid:uuid>/again/", None, _of("invitation"), (Write(administrators("edc")),)),
    Route("accounts/members/<slug:slug>/invitations/<uuid:uuid>/revoke/", None, _of("invitation"), (Write(administrators("edc")),)),
)


def _client(scene: Scene) -> dict:
    return {"slug": "edc", "uuid": scene.client.uuid, "credential": scene.credential.uuid}


CLIENT = "machines/<slug:slug>/<uuid:uuid>/"
NEW_CLIENT = {"name": "Billing", "role": "viewer", "scopes": ["view_registry"]}


def public_key(scene: Scene) -> dict:
    return {"public_key": ECKey.generate_key("P-256").as_pem(private=False).decode()}


CLIENTS = (
    Route("machines/", MEMBERSHIP[0].sees),
    Route("machines/<slug:slug>/", administrators("edc"), _client),
    Route("machines/<slug:slug>/new/", administrators("edc"), _client, (Write(administrators("edc"), NEW_CLIENT),)),
    Route(CLIENT, administrators("edc"), _client),
    Route(f"{CLIENT}secrets/new/", None, _client, (Write(administrators("edc")),)),
    Route(f"{CLIENT}keys/new/", administrators("edc"), _client, (Write(administrators("edc"), public_key),)),
    Route(f"{CLIENT}credentials/<uuid:credential>/revoke/", None, _client, (Write(administrators("edc")),)),
    Route(f"{CLIENT}tokens/revoke/", None, _client, (Write(administrators("edc")),)),
    Route(f"{CLIENT}end/", administrators("edc"), _client, (Write(administrators("edc"), {"reason": "tests"}),)),
)


ADMITTERS = who("rerra:administrator", "operator:administrator", "operator2:administrator")
PROVIDER = {"issuer": "https://localhost", "client_id": "c", "secret": "s", "role_claim": "roles", "roles": "a = viewer", "is_active": "on"}

ORGANIZATION = (
    Route("organization/admissions/", SIGNED_IN),
    Route("organization/admissions/<uuid:uuid>/", ADMITTERS | who("nobody"), lambda scene: {"uuid": scene.admission.uuid}),
    Route(
        "organization/admissions/<uuid:uuid>/transitions/<slug:name>/",
        None,
        lambda scene: {"uuid": scene.admission.uuid, "name": "admit"},
        (
            Write(ADMITTERS, name="admit"),
            Write(ADMITTERS, {"reason": "no"}, lambda scene: {"uuid": scene.admission.uuid, "name": "refuse"}, name="refuse"),
        ),
    ),
    Route("organization/administrators/", SIGNED_IN),
    Route("organization/administrators/<uuid:uuid>/confirm/", None, lambda scene: {"uuid": scene.promotion.uuid}, (Write(ADMITTERS),)),
    Route(
        "organization/administrators/<uuid:uuid>/reject/",
        ADMITTERS,
        lambda scene: {"uuid": scene.promotion.uuid},
        (Write(ADMITTERS, {"reason": "no"}),),
    ),
    Route("organization/<slug:slug>/sign-in/", administrators("edc"), lambda scene: {"slug": "edc"}),
    Route(
        "organization/<slug:slug>/sign-in/change/",
        administrators("edc"),
        lambda scene: {"slug": "edc"},
        (Write(administrators("edc"), PROVIDER),),
    ),
    Route(
        "organization/<slug:slug>/sign-in/domains/new/",
        administrators("edc"),
        lambda scene: {"slug": "edc"},
        (Write(administrators("edc"), {"domain": "utility.example.com"}),),
    ),
    Route("organization/<slug:slug>/sign-in/domains/<uuid:uuid>/prove/", None, _of("sign_in_domain"), (Write(administrators("edc")),)),
    Route("organization/<slug:slug>/sign-in/domains/<uuid:uuid>/remove/", None, _of("sign_in_domain"), (Write(administrators("edc")),)),
)

ROUTES = (*PORTAL, *MEMBERSHIP, *CLIENTS, *ORGANIZATION)
