"""The part of the access matrix about participants: registrations, suspensions, owners, jurisdictions."""

from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.contracts.matrix import PARTIES, Route, Write
from tests.contracts.matrix_api import API, CALLERS, ID
from tests.contracts.matrix_filing import DECIDERS, FILERS, of
from tests.contracts.scene import AGGREGATOR, MACHINES, NOBODY, OVERSEERS, SIGNED_IN, UTILITY, Scene, who

BASE = "registry/aggregators/"
ONE = f"{BASE}{ID}"
REST, SUSPENSIONS = f"{API}aggregators/", f"{API}suspensions/"
OWN = who("aggregator:administrator")
NEW = who("aggregator2:administrator")
REGULATOR = who("rerra:administrator")
SUSPENDERS = who("edc:administrator", "tso:administrator", "rerra:administrator")
ANY_SUSPENDERS = SUSPENDERS | who("edc2:administrator", "tso2:administrator", "rerra2:administrator")
PEOPLE = (AGGREGATOR - MACHINES) | who("rerra:*")
READERS = AGGREGATOR | who("rerra:*")
SUSPENSION_SEEN = UTILITY | OVERSEERS
WAITING = of("registration_waiting", name="return")
REASON = {"reason": "The address is missing."}


def part(kind: str):
    return of("registration", kind=kind)


def ending(kind: str, thing: str):
    return lambda scene: part(kind)(scene) | {"part": getattr(scene, thing).pk}


def company(scene: Scene) -> dict:
    return {"rerra": scene.world.rerra.pk, "legal_form": "LLC"}


def certificate(scene: Scene) -> dict:
    file = SimpleUploadedFile("audit.pdf", b"%PDF-1.7 audit", "application/pdf")
    return {"kind": "cyber", "issuer": "An auditor", "expires_on": str(timezone.localdate() + timedelta(days=9)), "evidence": file}


def signed(scene: Scene) -> dict:
    return {"version": scene.signature.version, "signed_as": "CEO", "read": "on"}


def suspended(scene: Scene) -> dict:
    return {"aggregator": scene.world.aggregator.pk, "reason": "breach", "statement": "The attestation was false."}


def suspended_by(scene: Scene) -> dict:
    return suspended(scene) | {"aggregator": "aggregator"}


SIGNED = Write(NOBODY, signed, name="when nobody has an agreement left to sign")
OFFICER = {"title": "Treasurer", "name": "Somebody"}
CONTACT = {"purpose": "cyber", "name": "A desk"}
ROUTES = (
    Route(BASE, SIGNED_IN),
    Route(f"{BASE}new/", OWN | NEW, writes=(Write(NEW, company),)),
    Route(ONE, PEOPLE, of("registration")),
    Route(f"{ONE}change/", OWN, of("registration"), (Write(OWN, company),)),
    Route(f"{ONE}agreement.pdf", PEOPLE, of("registration")),
    Route(f"{ONE}agreement/", OWN, of("registration"), (SIGNED,)),
    Route(f"{ONE}personal/", OWN | REGULATOR, of("registration"), (Write(OWN | REGULATOR, {"purpose": "legal"}),)),
    Route(f"{ONE}transitions/<slug:name>/", None, WAITING, (Write(REGULATOR, REASON),)),
    Route(
        f"{ONE}<slug:kind>/new/",
        OWN,
        part("officers"),
        (
            Write(OWN, OFFICER, name="an officer"),
            Write(OWN, CONTACT, part("contacts"), name="a contact"),
            Write(OWN, certificate, part("certifications"), name="a certification"),
            Write(
                OWN,
                lambda scene: {"tso": scene.world.tso2.pk, "member_no": "M-2", "starts_on": "2026-01-01"},
                part("memberships"),
                name="a membership",
            ),
        ),
    ),
    Route(
        f"{ONE}<slug:kind>/<int:part>/end/",
        OWN,
        ending("officers", "officer"),
        (
            Write(OWN, {}, name="an officer"),
            Write(OWN, {}, ending("contacts", "market_contact"), name="a contact"),
            Write(OWN, {}, ending("certifications", "certification"), name="a certification"),
            Write(OWN, {}, ending("memberships", "membership"), name="a membership"),
        ),
    ),
    Route(f"{BASE}suspensions/", SIGNED_IN),
    Route(f"{BASE}suspensions/new/", ANY_SUSPENDERS, writes=(Write(ANY_SUSPENDERS, suspended),)),
    Route(f"{BASE}suspensions/{ID}", SUSPENSION_SEEN, of("suspension")),
    Route(f"{BASE}suspensions/{ID}letter.pdf", SUSPENSION_SEEN, of("suspension")),
    Route(
        f"{BASE}suspensions/{ID}transitions/<slug:name>/",
        None,
        of("suspension", name="reinstate"),
        (Write(who("edc:administrator"), REASON),),
    ),
    # API
    Route(REST, CALLERS, writes=(Write(NEW, {"rerra": "rerra"}),)),
    Route(f"{REST}{ID}", READERS, of("registration"), (Write(OWN, {"website": "https://example.org"}, method="patch"),)),
    Route(f"{REST}{ID}versions/", READERS, of("registration")),
    Route(f"{REST}{ID}reveal/", None, of("registration"), (Write(OWN | REGULATOR, {"purpose": "legal"}),)),
    Route(f"{REST}{ID}transitions/<slug:name>/", None, WAITING, (Write(REGULATOR, REASON),)),
    Route(f"{REST}{ID}officers/", READERS, of("registration"), (Write(OWN, OFFICER),)),
    Route(f"{REST}{ID}contacts/", READERS, of("registration"), (Write(OWN, CONTACT),)),
    Route(f"{REST}{ID}certifications/", READERS, of("registration"), (Write(OWN, certificate),)),
    Route(
        f"{REST}{ID}memberships/",
        READERS,
        of("registration"),
        (Write(OWN, {"tso": "tso2", "member_no": "M-2", "starts_on": "2026-01-01"}),),
    ),
    Route(f"{REST}{ID}agreement/", READERS, of("registration"), (SIGNED,)),
    Route(f"{REST}{ID}obstacles/", READERS, of("registration")),
    Route(f"{REST}{ID}letter/", READERS, of("registration")),
    Route(
        f"{REST}{ID}<slug:kind>/<int:part>/end/",
        None,
        ending("officers", "officer"),
        (
            Write(OWN, {}, name="an officer"),
            Write(OWN, {}, ending("contacts", "market_contact"), name="a contact"),
            Write(OWN, {}, ending("certifications", "certification"), name="a certification"),
            Write(OWN, {}, ending("memberships", "membership"), name="a membership"),
        ),
    ),
    Route(SUSPENSIONS, CALLERS, writes=(Write(ANY_SUSPENDERS, suspended_by),)),
    Route(f"{SUSPENSIONS}{ID}", SUSPENSION_SEEN, of("suspension")),
    Route(f"{SUSPENSIONS}{ID}letter/", SUSPENSION_SEEN, of("suspension")),
    Route(f"{SUSPENSIONS}{ID}versions/", SUSPENSION_SEEN, of("suspension")),
    Route(
        f"{SUSPENSIONS}{ID}transitions/<slug:name>/",
        None,
        of("suspension", name="reinstate"),
        (Write(who("edc:administrator"), REASON),),
    ),
)

OWNERS, NOBODYS = "registry/owners/", who("nobody")
CONSENTS, USES = f"{API}consents/", f"{API}personal-uses/"
BUILDERS, ANYBODY = FILERS | who("machine"), PARTIES | who("machine")
ROSTERS, UTILITIES = "registry/rosters/", who("edc:administrator", "edc2:administrator")
CONSENTED = {"scopes": ["usage"], "purpose": "Settlement"}


def own_consent(scene: Scene) -> dict:
    return CONSENTED | {"aggregator": scene.world.aggregator.pk}


def shown_consent(scene: Scene) -> dict:
    return CONSENTED | {"evidence": SimpleUploadedFile("signed.pdf", b"%PDF-1.7 signed", "application/pdf")}


def sent_consent(scene: Scene) -> dict:
    return shown_consent(scene) | {"der_id": str(scene.der.uuid)}


def roster_file(scene: Scene) -> dict:
    return {"program": "NEM", "file": SimpleUploadedFile("roster.csv", b"edc_account_no\nA-1\n", "text/csv")}


PROGRAMS = f"{API}retail-programs/"
DRAFTERS = who("edc:administrator", "operator:administrator", "operator2:administrator")

KEEPERS = who("operator:administrator", "operator2:administrator")

# whom the utility's contact of today is shown to, and who of them calls it
DEALING = UTILITY | OVERSEERS | AGGREGATOR
PHONES = DECIDERS | FILERS
CALLING = PHONES | who("machine")


def governed(scene: Scene) -> dict:
    return {"rerra": "rerra", "edc": "edc2", "county_fips": scene.world.counties[0].pk, "valid_from": "2026-01-01"}


def terms(scene: Scene) -> dict:
    return {"edc": "edc", "code": "DR", "name": "DR", "kind": "demand_response", "tariff": "T-2", "valid_from": "2026-01-01"}


def pk_of(thing: str):
    return lambda scene: {"pk": getattr(scene, thing).pk}


def contact_page(scene: Scene) -> dict:
    return {"slug": "edc", "pk": scene.contact.pk}


def profile_of(scene: Scene) -> dict:
    return {"eia_id": scene.world.edc.utility.eia_id}


TERMS = {"code": "DR", "name": "DR", "kind": "demand_response", "tariff": "T-2", "valid_from": "2026-01-01"}


def form_of_terms(scene: Scene) -> dict:
    return TERMS | {"edc": scene.world.edc.pk}


def added() -> list[Write]:
    """A record of each kind, as the forms give it."""
    of_edc = {
        "sales": lambda scene: {"year": "2020", "sales_mwh": "1", "source": "A file", "edc": scene.world.edc.pk},
        "jurisdictions": lambda scene: {"rerra": scene.world.rerra.pk, "county": scene.world.counties[0].pk, "edc": scene.world.edc2.pk},
        "affiliations": lambda scene: {"aggregator": scene.world.aggregator2.pk, "source": "Form 60", "edc": scene.world.edc.pk},
    }
    first = {"valid_from": "2026-01-01"}
    return [Write(KEEPERS, lambda scene, of=of: of(scene) | first, kind_of(kind), name=kind) for kind, of in of_edc.items()]


def kind_of(kind: str):
    return lambda scene: {"kind": kind}


def ended(thing: str):
    return lambda scene: {"kind": f"{thing}s", "pk": getattr(scene, thing).pk}


HERE, OWN_PAGES, CALLS = "registry/jurisdictions/", "registry/administration/<slug:slug>/", who("edc:administrator")
PROFILE = {"eia_id": 99999, "ownership": "municipal", "balancing_authority": "PJM"}


ROUTES += (
    Route(f"{API}own/", NOBODYS),
    Route(
        f"{API}own/consents/",
        None,
        writes=(Write(NOBODYS, {"aggregator": "aggregator", "scopes": ["market"], "purpose": "Markets"}, people=True),),
    ),
    Route(f"{API}own/consents/<uuid:uuid>/revoke/", None, of("consent"), (Write(NOBODYS, REASON, people=True),)),
    Route(
        f"{API}own/uses/",
        None,
        writes=(Write(NOBODYS, lambda scene: {"der_id": str(scene.der.uuid), "kind": "reserve", "reserve_percent": "30"}, people=True),),
    ),
    Route(f"{API}own/uses/<uuid:uuid>/end/", None, of("personal_use"), (Write(NOBODYS, people=True),)),
    Route(OWNERS, NOBODYS),
    Route(f"{OWNERS}consents/", SIGNED_IN),
    Route(f"{OWNERS}consents/new/", NOBODYS, writes=(Write(NOBODYS, own_consent),)),
    Route(f"{OWNERS}consents/{ID}", PARTIES, of("consent")),
    Route(f"{OWNERS}consents/{ID}revoke/", NOBODYS, of("consent"), (Write(NOBODYS, REASON),)),
    Route(f"{OWNERS}consents/{ID}transitions/<slug:name>/", None, of("consent", name="revoke"), (Write(FILERS, REASON),)),
    Route(f"{OWNERS}ders/{ID}use/", NOBODYS, of("der"), (Write(NOBODYS, {"kind": "reserve", "reserve_percent": "30"}),)),
    Route(f"{OWNERS}use/{ID}end/", NOBODYS, of("personal_use"), (Write(NOBODYS),)),
    Route(f"{OWNERS}ders/{ID}invite/", FILERS | DECIDERS, of("der"), (Write(FILERS | DECIDERS),)),
    Route(f"{OWNERS}ders/{ID}consent/", FILERS, of("der"), (Write(FILERS, shown_consent),)),
    Route(CONSENTS, CALLERS, writes=(Write(BUILDERS, sent_consent),)),
    Route(f"{CONSENTS}{ID}", ANYBODY, of("consent")),
    Route(f"{CONSENTS}{ID}versions/", ANYBODY, of("consent")),
    Route(f"{CONSENTS}{ID}transitions/<slug:name>/", None, of("consent", name="revoke"), (Write(BUILDERS, REASON),)),
    Route(USES, CALLERS),
    Route(f"{USES}{ID}", ANYBODY, of("personal_use")),
    # rosters
    Route(f"{ROSTERS}", SIGNED_IN),
    Route(f"{ROSTERS}lists/", SIGNED_IN),
    Route(f"{ROSTERS}new/", UTILITIES, writes=(Write(UTILITIES, roster_file),)),
    Route(f"{API}rosters/", CALLERS, writes=(Write(UTILITIES, {"program": "DR", "accounts": ["A-1"]}),)),
    Route(f"{API}rosters/{ID}", UTILITY | OVERSEERS, of("roster")),
    Route(f"{API}roster-findings/", CALLERS),
    Route(f"{API}roster-findings/<int:pk>/", ANYBODY, pk_of("roster_finding")),
    # utilities by day, and contacts
    Route(f"{HERE}utilities/", SIGNED_IN),
    Route(f"{HERE}utilities/new/", KEEPERS, writes=(Write(KEEPERS, lambda scene: PROFILE | {"edc": scene.newcomer.pk}),)),
    Route(f"{HERE}utilities/<int:eia_id>/", SIGNED_IN, profile_of),
    Route(f"{HERE}utilities/<int:eia_id>/change/", KEEPERS, profile_of, (Write(KEEPERS, PROFILE | {"starts_on": "2026-03-01"}),)),
    Route(f"{API}utilities/", CALLERS, writes=(Write(KEEPERS, lambda scene: PROFILE | {"edc": scene.newcomer.slug}),)),
    Route(f"{API}utilities/<int:eia_id>/", CALLERS, profile_of, (Write(KEEPERS, {"nerc_region": "SERC"}, method="patch"),)),
    Route(f"{API}utilities/<int:eia_id>/versions/", CALLERS, profile_of),
    Route(f"{API}utilities/<int:eia_id>/periods/", CALLERS, profile_of),
    Route(f"{HERE}<slug:kind>/new/", KEEPERS, lambda scene: {"kind": "sales"}, tuple(added())),
    Route(f"{HERE}<slug:kind>/<int:pk>/end/", KEEPERS, ended("jurisdiction"), (Write(KEEPERS, {"on": "2030-01-01"}),)),
    Route(f"{HERE}<int:pk>/", SIGNED_IN, pk_of("jurisdiction")),
    Route(f"{HERE}affiliations/", SIGNED_IN),
    Route(f"{HERE}affiliations/<int:pk>/", SIGNED_IN, pk_of("affiliation")),
    Route(f"{HERE}programs/new/", DRAFTERS | who("edc2:administrator"), writes=(Write(DRAFTERS, form_of_terms),)),
    Route(f"{HERE}programs/<int:pk>/", SIGNED_IN, pk_of("program")),
    Route(f"{HERE}programs/<int:pk>/change/", DRAFTERS, pk_of("program"), (Write(DRAFTERS, TERMS),)),
    Route(
        f"{HERE}programs/<int:pk>/transitions/<slug:name>/",
        None,
        lambda scene: pk_of("program")(scene) | {"name": "approve"},
        (Write(DRAFTERS, {}),),
    ),
    Route(f"{OWN_PAGES}contacts/", CALLS, lambda scene: {"slug": "edc"}),
    Route(f"{OWN_PAGES}contacts/new/", CALLS, lambda scene: {"slug": "edc"}, (Write(CALLS, CONTACT),)),
    Route(f"{OWN_PAGES}contacts/<int:pk>/change/", CALLS, contact_page, (Write(CALLS, CONTACT),)),
    Route(f"{OWN_PAGES}contacts/<int:pk>/remove/", CALLS, contact_page, (Write(CALLS, {}),)),
    Route(f"{OWN_PAGES}contacts/<int:pk>/personal/", CALLS, contact_page, (Write(CALLS, {"purpose": "legal"}),)),
    Route(f"{API}contacts/", CALLERS, writes=(Write(CALLS, CONTACT | {"organization": "edc"}),)),
    Route(
        f"{API}contacts/<int:pk>/",
        DEALING,
        pk_of("contact"),
        (Write(CALLS, {"purpose": "cyber"}, method="patch"), Write(CALLS, method="delete", name="taken out")),
    ),
    Route(f"{API}contacts/<int:pk>/versions/", DEALING, pk_of("contact")),
    Route(f"{API}contacts/<int:pk>/reveal/", None, pk_of("contact"), (Write(CALLING, {"purpose": "legal"}),)),
    Route("registry/contacts/", SIGNED_IN),
    Route("registry/contacts/<int:pk>/", DEALING - MACHINES, pk_of("contact")),
    Route("registry/contacts/<int:pk>/personal/", PHONES, pk_of("contact"), (Write(PHONES, {"purpose": "legal"}),)),
    # reference data, open to everybody
    Route("registry/jurisdictions/", SIGNED_IN),
    Route("registry/jurisdictions/programs/", SIGNED_IN),
    Route("registry/jurisdictions/sales/", SIGNED_IN),
    Route(f"{API}jurisdictions/", CALLERS, writes=(Write(KEEPERS, governed),)),
    Route(f"{API}jurisdictions/<int:pk>/end/", None, pk_of("jurisdiction"), (Write(KEEPERS, {"on": "2030-01-01"}),)),
    Route(f"{API}annual-sales/", CALLERS, writes=(Write(KEEPERS, {"edc": "edc", "year": 2020, "sales_mwh": 1, "source": "A file"}),)),
    Route(f"{API}jurisdictions/<int:pk>/", CALLERS, pk_of("jurisdiction")),
    Route(f"{API}annual-sales/<int:pk>/", CALLERS, pk_of("sales")),
    Route(PROGRAMS, CALLERS, writes=(Write(DRAFTERS, terms),)),
    Route(f"{PROGRAMS}<int:pk>/", CALLERS, pk_of("program"), (Write(DRAFTERS, {"name": "Net metering"}, method="patch"),)),
    Route(f"{PROGRAMS}<int:pk>/versions/", CALLERS, pk_of("program")),
    Route(
        f"{PROGRAMS}<int:pk>/transitions/<slug:name>/",
        None,
        lambda scene: pk_of("program")(scene) | {"name": "approve"},
        (Write(DRAFTERS, {}, people=True),),
    ),
)
