"""The help pages: nothing is written twice, every page is drawn from the code that it explains."""

from itertools import groupby

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from moc import rules
from moc.access.models import Membership, Organization
from moc.access.roles import PERMISSIONS, ROLES, SECOND_FACTOR, SUPPORT
from moc.access.support import SupportGrant
from moc.apps import own_models
from moc.help import governance
from moc.help.drawing import draw
from moc.machines import oauth
from moc.portal.shell import url_of
from moc.portal.views import Page
from operations.network import rules as network_rules  # noqa: F401  (fills the register of rules)
from operations.telemetry import rules as telemetry_rules  # noqa: F401  (fills the register of rules)
from registry.aggregations import rules as member_rules  # noqa: F401  (fills the register of rules)
from registry.ders.dictionary import FIELDS, by_group
from registry.grid import rules as grid_rules  # noqa: F401  (fills the register of rules)
from registry.prequalification import rules as qualification_rules  # noqa: F401  (fills the register of rules)
from registry.submissions import rules as filing_rules  # noqa: F401  (fills the register of rules)
from registry.submissions.personal import filed_field
from settlement.disputes import rules as dispute_rules  # noqa: F401  (fills the register of rules)

STANDARDS = (("cim", "CIM"), ("sunspec", "SunSpec 702"), ("ieee_2030_5", "IEEE 2030.5"), ("eia_861", "EIA-861"), ("aemo", "AEMO"))
PAGES = (
    (
        "help_dictionary",
        "Data dictionary",
        "Every column of a filing: what it holds, whether it is required, and its names in the standards.",
    ),
    ("help_rules", "Rules", "What is checked when DERs are filed: each rule's sentence, its remedy and where it is from."),
    ("help_lifecycles", "Lifecycles", "Which status may follow which, and who may make each move."),
    ("help_roles", "Roles and permissions", "What each role may do in its own and in overseen organisations."),
    ("help_governance", "Data governance", "Of each kind of record: owner, custodian, class, legal ground, and who reads which fields."),
    ("help_sign_in", "Signing in", "Second factor, confirmations, invitations, your organisation's own sign-in."),
    ("help_machines", "Programs and the API", "How a program of your organisation gets a token, and calls the API with it."),
    ("api_docs", "API", "Every operation of the API with its parameters, bodies and answers."),
)


class Help(Page):
    """A help page, one step below the index."""

    parents = (("Help", "help"),)


class Index(Page):
    """What there is to read."""

    title = "Help"
    lead = "These pages are drawn from the platform's own code: they say what it does."
    template_name = "help/index.html"

    def get_context_data(self, **kwargs) -> dict:
        pages = [(title, url, words) for name, title, words in PAGES if (url := url_of(name))]
        return super().get_context_data(pages=pages, **kwargs)


class Dictionary(Help):
    """The filing columns with their types and their names in the standards."""

    title = "Data dictionary"
    lead = "The columns of a filing, in any order. A header is recognised by its name or by one of its other names."
    template_name = "help/dictionary.html"

    def get_context_data(self, **kwargs) -> dict:
        groups = [(group, [_entry(name) for name in names]) for group, names in by_group().items()]
        return super().get_context_data(groups=groups, count=len(FIELDS), **kwargs)


def _entry(name: str) -> dict:
    term = FIELDS[name]
    field = filed_field(name)
    several = isinstance(field, ArrayField)
    choices = (field.base_field if several else field).flatchoices
    return {
        "name": name,
        "label": str(field.verbose_name),
        "help": field.help_text,
        "kind": _kind(field),
        "choices": choices,
        "term": term,
        "standards": [(label, getattr(term, key)) for key, label in STANDARDS if getattr(term, key)],
    }


def _kind(field: models.Field) -> str:
    """What a value of the column looks like, in a few words."""
    if isinstance(field, ArrayField):
        return "codes, separated by semicolons" if field.base_field.choices else "words, separated by semicolons"
    if field.choices:
        return "one code"
    for kind, words in KINDS:
        if isinstance(field, kind):
            return words
    return f"text, at most {field.max_length} characters"


KINDS = (
    (models.JSONField, "JSON"),
    (models.BooleanField, "true or false"),
    (models.DateField, "date, YYYY-MM-DD"),
    (models.DecimalField, "number"),
    (models.IntegerField, "whole number"),
    (models.EmailField, "e-mail address"),
)


class Rules(Help):
    """Every registered rule, by the part of its code before the first dash."""

    title = "Rules"
    lead = "The same rules check a form, a file and the whole registry. Errors keep a row from being submitted, warnings do not."
    template_name = "help/rules.html"

    def get_context_data(self, **kwargs) -> dict:
        known = sorted(rules.registry.values(), key=lambda rule: rule.code)
        groups = [(family, [vars(rule) for rule in own]) for family, own in groupby(known, key=lambda rule: rule.code.partition("-")[0])]
        named = [(FAMILIES.get(family, family), own) for family, own in groups]
        return super().get_context_data(groups=named, count=len(known), **kwargs)


FAMILIES = {
    "DER": "The facts of a DER",
    "DUPLICATE": "Duplicates",
    "FILE": "Reading a file",
    "FILING": "A filing, the grid and the registry",
    "GRID": "Files of grid records",
    "MEMBER": "Members of aggregations",
    "PQ": "Qualification for a market",
}


class Lifecycles(Help):
    """Each model's lifecycle as a diagram and a table of its moves."""

    title = "Lifecycles"
    lead = "The database refuses every other move, whoever asks for it."
    template_name = "help/lifecycles.html"

    def get_context_data(self, **kwargs) -> dict:
        drawn = [
            {
                "name": str(model._meta.verbose_name),
                "anchor": model._meta.model_name,
                "about": (model.__doc__ or "").strip().partition("\n")[0],
                "drawing": draw(model.lifecycle, dict(model._meta.get_field("status").flatchoices)),
            }
            for model in own_models()
            if hasattr(model, "lifecycle")
        ]
        return super().get_context_data(lifecycles=drawn, permissions=PERMISSIONS, **kwargs)


class Roles(Help):
    """roles.py as one table for each kind of organisation."""

    title = "Roles and permissions"
    lead = (
        "A role counts in one's own organisation and, for seeing, in those that it oversees. The operator's staff see what the platform "
        "itself does; an organisation's records only while its administrator lets them in."
    )
    template_name = "help/roles.html"

    def get_context_data(self, **kwargs) -> dict:
        kinds = [
            (
                Organization.Kind(kind).label,
                [Membership.Role(role).label for role in roles],
                [(name, words, [name in held for held in roles.values()]) for name, words in PERMISSIONS.items() if _held(name, roles)],
            )
            for kind, roles in ROLES.items()
        ]
        support = [(words, [name in given for given in SUPPORT.values()]) for name, words in PERMISSIONS.items() if _held(name, SUPPORT)]
        scopes = [SupportGrant.Scope(scope).label for scope in SUPPORT]
        return super().get_context_data(kinds=kinds, support=support, scopes=scopes, **kwargs)


class Governance(Help):
    """What is held, on which ground, and who reads it."""

    title = "Data governance"
    lead = (
        "Owners decide about a record, the custodian keeps it. Readers follow from each record's parties and from the roles; grants and "
        "support access, which an organization gives for a time, come on top and are listed in the workplace."
    )
    template_name = "help/governance.html"

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(classes=governance.datasets(), **kwargs)


class SignIn(Help):
    """How one signs in, with the numbers in force."""

    title = "Signing in"
    lead = "The numbers are those in force here."
    template_name = "help/sign_in.html"

    def get_context_data(self, **kwargs) -> dict:
        numbers = {
            "roles": [role.label for role in Membership.Role if role in SECOND_FACTOR],
            "idle": settings.MOC_SESSION_IDLE_SECONDS // 60,
            "absolute": settings.SESSION_COOKIE_AGE // 3600,
            "fresh": settings.ACCOUNT_REAUTHENTICATION_TIMEOUT // 60,
            "failures": settings.MOC_LOCKOUT_FAILURES,
            "days": settings.MOC_INVITATION_DAYS,
        }
        return super().get_context_data(**numbers, **kwargs)


def _held(permission: str, roles: dict[str, set[str]]) -> bool:
    return any(permission in held for held in roles.values())


class Machines(Help):
    """How a program gets a token and uses it."""

    title = "Programs and the API"
    lead = "A program calls the API as a machine client of your organisation. Its administrators make it; no person's password is involved."
    template_name = "help/machines.html"

    def get_context_data(self, **kwargs) -> dict:
        server = oauth.metadata()
        shown = {
            "server": server,
            "site": server["issuer"],
            "scopes": PERMISSIONS.items(),
            "minutes": settings.MOC_TOKEN_SECONDS // 60,
            "days": settings.MOC_CREDENTIAL_DAYS,
            "per_minute": settings.MOC_TOKENS_PER_MINUTE,
            "assertion_seconds": oauth.LONGEST_ASSERTION_SECONDS,
        }
        return super().get_context_data(**shown | kwargs)
