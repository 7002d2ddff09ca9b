"""Data governance, drawn from the code: of each kind of record the owner, custodian, class, legal basis, and who reads which of its fields.

Written down here is only what code cannot know: on what ground the data of a slice are held. Readers follow from the access paths of the
models and from roles.py, as policy.py takes them.
"""

from dataclasses import dataclass

from django.contrib import admin
from django.db.models import Model
from django.utils import timezone

from moc.access import policy, visibility
from moc.access.classes import DataClass, class_of, said_of
from moc.access.models import Membership, Organization
from moc.access.roles import OVERSIGHT, PERMISSIONS, ROLES, permissions_of
from moc.apps import own_models
from moc.history import Appended
from moc.rulesets.kinds import NONE
from moc.rulesets.models import RuleSet
from moc.takeouts.archive import SECRETS
from moc.vault.models import SealedFacts

FACTS, PERSONAL = "view_registry", "view_personal"
OPERATOR = "the platform's operator"
KEYED = "the platform's operator, sealed with the organization's key"

# a slice, or one of its models, as in moc.access.classes: on what ground its data are held
BASIS = {
    "moc": "Running the platform of record; what was done in whose name",
    "moc.access": "Running the platform: who signs in, and with which rights",
    "moc.accesslog": "Accountability for personal data: who looked, at what, what for",
    "moc.public": "Public information: figures behind the privacy rule of the regulator",
    "moc.reports": "The purpose of whoever runs the report, within their own rights",
    "moc.rulesets": "Public information: the law's numbers with their sources",
    "moc.seals": "Public information: proof of the record",
    "moc.vault": "Confidentiality of personal data",
    "operations": "Safe and reliable operation of the distribution system (FERC Order 2222 ¶292)",
    "registry": "FERC Order 2222: registration of DERs, the list kept up to date (¶236–240, ¶336)",
    "registry.customers": "The customer's consent, and the customer's own rights",
    "registry.intents": "Coordination of aggregator and utility before a filing",
    "registry.participants:Contact": "FERC Order 2222: participation of the aggregator; reaching its people",
    "registry.participants:DerOwner": "The customer's consent to the filing, attested by the aggregator",
    "registry.prequalification": "The RTO's tariff: qualification for its markets",
    "registry.submissions": "FERC Order 2222: the utility's review (¶292)",
    "settlement.disputes": "FERC Order 2222: resolution of disputes (¶299)",
}
CITED = "FERC Order 2222"
ABOUT_A_PARTY = {
    "aggregator": "the aggregator",
    "edc": "the utility",
    "tso": "the RTO",
    "rerra": "the regulator",
    "former": "the former aggregator",
}
STANDS_FOR = {"former": "aggregator"}


@dataclass(frozen=True)
class Readers:
    """Some fields of a dataset, and who may read them: (party, roles); `hidden` from whom, by whom and since when."""

    title: str
    fields: tuple[str, ...]
    who: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """One kind of record."""

    name: str
    table: str
    about: str
    data_class: DataClass
    owner: str
    custodian: str
    basis: str
    kept: str
    groups: tuple[Readers, ...]


def datasets() -> list[tuple[DataClass, list[Dataset]]]:
    """Every kind of record of the platform, by class."""
    law = list(RuleSet.objects.on(timezone.localdate()))
    found = [_dataset(model, law) for model in sorted(own_models(), key=lambda model: model._meta.db_table)]
    return [(each, [dataset for dataset in found if dataset.data_class == each]) for each in DataClass]


def _dataset(model: type[Model], law: list) -> Dataset:
    personal = issubclass(model, SealedFacts)
    return Dataset(
        name=str(model._meta.verbose_name_plural),
        table=model._meta.db_table,
        about=" ".join((model.__doc__ or "").strip().partition("\n\n")[0].replace("`", "").split()),
        data_class=class_of(model),
        owner=_owner(model),
        custodian=KEYED if personal else OPERATOR,
        basis=_basis(said_of(model, BASIS)),
        kept=_kept(model, law),
        groups=_groups(model, law),
    )


def _basis(words: str) -> str:
    """A ground as the page shows it: what cites the order was held against DOE's map of its paragraphs, the rest against nothing."""
    return words if CITED in words else f"{words} (not verified)"


def _owner(model: type[Model]) -> str:
    """The first party that the access paths name; the person, where the rows are a user's own; else the operator."""
    parties = [path.rpartition("__")[2] for path in model.access_paths if path not in {"SELF", "PUBLIC", "OPERATOR"}]
    if parties:
        return ABOUT_A_PARTY.get(parties[0], "the organization")
    return "the person" if "SELF" in model.access_paths else OPERATOR


def _kept(model: type[Model], law: list) -> str:
    """How its rows are kept, for how long at least, and how long of that online."""
    how = "every version, sealed" if hasattr(model, "history") else "as it is now"
    how = "only added to, sealed" if issubclass(model, Appended) else how
    periods = [_period(law, f"kept_years_{class_of(model)}", "kept {} years at least")]
    periods += [_period(law, f"online_days_{class_of(model)}", "archived after {} days")] if getattr(model, "archived_by", "") else []
    return ", ".join([how, *filter(None, periods)])


def _period(law: list, key: str, words: str) -> str:
    """The longest period of all authorities in words; nothing where there is none."""
    rows = [row for row in law if row.key == key]
    if not rows or any(row.value == NONE for row in rows):
        return ""
    longest = max(rows, key=lambda row: row.value)
    return words.format(longest.value) + ("" if longest.verified else " (not verified)")


def _groups(model: type[Model], law: list) -> tuple[Readers, ...]:
    """The facts, what of them may be hidden, the personal columns and what nobody reads, each with its readers."""
    secret = SECRETS | set(getattr(model, "sealing", ()))
    names = [field.name for field in model._meta.concrete_fields]
    personal, withheld = tuple(getattr(model, "personal", ())), tuple(name for name in names if name in secret)
    hideable = () if hasattr(model, "hidden_values") else getattr(model, "field_groups", ())
    groups_of = [each for each in hideable if not secret.issuperset(each.fields)]
    of_persons = tuple(told for each in hideable if secret.issuperset(each.fields) for told in _hidden(each.name, law))
    apart = {name for group in groups_of for name in group.fields}
    facts = tuple(name for name in names if name not in {*secret, *personal, *apart})
    readers = _readers(model, _reading(model))
    groups = [Readers("Facts", facts, readers)]
    groups += [Readers(each.title, each.fields, readers, _hidden(each.name, law)) for each in groups_of]
    if personal:
        groups.append(Readers("Personal, sealed", personal, _readers(model, PERSONAL), of_persons))
    if withheld:
        groups.append(Readers("Keys and digests", withheld, (("Nobody", ""),)))
    return tuple(groups)


def _hidden(group: str, law: list) -> tuple[str, ...]:
    """From whom rows of the law hide a group of fields, in words."""
    found = []
    for row in (row for row in law if row.key == visibility.KEY):
        parties = " and ".join(ABOUT_A_PARTY[kind].removeprefix("the ") for kind in row.value.get(group, ()))
        where = f"where {row.authority} oversees" if row.authority else "everywhere"
        checked = "" if row.verified else ", not verified"
        found += [f"Hidden from the {parties} {where} since {row.valid_during.lower} ({row.source}{checked})"] if parties else []
    return tuple(found)


def _reading(model: type[Model]) -> str:
    """The permission that opens the facts: what is about persons is read in the workplace, the rest on the pages of the registry."""
    own = admin.site._registry.get(model)
    return own.view_permission if own and class_of(model) == DataClass.IDENTITY else FACTS


def _readers(model: type[Model], permission: str) -> tuple[tuple[str, str], ...]:
    """(party, roles) by access path; what is everybody's is everybody's."""
    if "PUBLIC" in policy.paths_of(model):
        return (("Everybody signed in", ""),)
    found: dict[str, str] = {}
    for path in policy.paths_of(model):
        party = path.rpartition("__")[2]
        if path == "SELF":
            found["The person"] = ""
        elif path == "OPERATOR":
            found["The platform's operator"] = _roles("operator", "audit")
        elif party in ABOUT_A_PARTY:
            when = ", once it concerns it" if path in getattr(model, "access_conditions", {}) else ""
            if roles := _roles(STANDS_FOR.get(party, party), permission):
                found[f"{ABOUT_A_PARTY[party][:1].upper()}{ABOUT_A_PARTY[party][1:]} of the record{when}"] = roles
        else:
            found["The organization of the record"] = f"who may {PERMISSIONS[permission]}"
    if permission in OVERSIGHT and set(policy.paths_of(model)) - {"SELF", "OPERATOR"}:
        found["Regulator and RTO that oversee one of these"] = "for seeing, never for doing"
    return tuple(found.items())


def _roles(kind: str, permission: str) -> str:
    """The roles of a kind of organisation that hold a permission."""
    held = [role for role in ROLES[Organization.Kind(kind)] if permission in permissions_of(kind, role)]
    return "every role" if len(held) == len(ROLES[kind]) else ", ".join(Membership.Role(role).label.lower() for role in held)
