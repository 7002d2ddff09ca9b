"""What an owner sees: only what is the owner's own. The owner belongs to no organisation, so each report names the user's owners itself."""

from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from moc import sight
from moc.access.models import Organization, Oversight
from moc.accesslog.models import AccessEntry
from moc.intervals import TODAY
from registry.customers.models import WEEKDAYS, PersonalUse
from registry.ders.models import Der
from registry.participants.models import Consent, DerOwner

LOOKS = 200


def owners(user) -> QuerySet[DerOwner]:
    """The owner's records that are the user's, and not erased."""
    return DerOwner.objects.filter(accounts__user=user, erased_at=None)


@sight.engine()
def ders(user) -> list[Der]:
    """The user's DERs."""
    rows = Der.objects.filter(owner__in=owners(user)).select_related("aggregator", "edc")
    return list(rows.order_by("pk"))


@sight.engine()
def seers(user) -> list[tuple[str, str, str]]:
    """(party, what it is, what it sees) of everybody who sees the user's records."""
    found = {}
    rows = owners(user).select_related("aggregator", "edc")
    for owner in rows:
        found[owner.aggregator] = "Your DERs and, while you consent, your name and account"
        found[owner.edc] = "Your DERs, your name and account: you are its customer"
    for oversight in Oversight.objects.filter(overseen__in=[owner.edc_id for owner in rows]).select_related("overseer"):
        found[oversight.overseer] = "Your DERs, without your name"
    return [(party.name, party.get_kind_display(), what) for party, what in found.items()] + _through_aggregations(rows)


def _through_aggregations(owned: QuerySet[DerOwner]) -> list[tuple[str, str, str]]:
    """Those that see the owner's DERs as members of aggregations of today: agents by what they were granted, and the market's operator."""
    at, found = "memberships__aggregation__", set()
    named = (f"{at}{name}" for name in ("name", "status", "tso", "agents__organization", "agents__permission__codename"))
    members = Der.objects.filter(owner__in=owned, memberships__valid_during__contains=TODAY)
    for title, status, tso, agent, role in members.order_by().values_list(*named).distinct():
        if status != "draft":
            found |= {(tso, "market's operator", title), (agent, (role or "").replace("_", " "), title)}
    found = {each for each in found if each[0]}
    parties = Organization.objects.in_bulk({party for party, _, _ in found})
    what = "Which of your DERs are members of “{}”, and their capacity, as its {}; not your name"
    shown = [(parties[party].name, parties[party].get_kind_display(), what.format(title, role)) for party, role, title in found]
    return sorted(shown)


@sight.engine()
def consents(user) -> list[Consent]:
    """The consents on the user's records, newest first."""
    return list(Consent.objects.filter(owner__in=owners(user)).select_related("aggregator").order_by("-pk"))


@sight.engine()
def uses(user) -> list[PersonalUse]:
    """What the user keeps of the DERs, as it stands."""
    return list(PersonalUse.objects.standing().filter(der__owner__in=owners(user)).select_related("der").order_by("der_id", "pk"))


@sight.engine()
def looks(user) -> list[AccessEntry]:
    """Who looked at the user's personal data or took them out, newest first: under every key that the records have had, and, since they
    are on record, whenever a party of theirs took out everybody's."""
    versions = DerOwner.history.model.objects.filter(id__in=owners(user).values("pk"))
    shown = Q(subject__in=versions.exclude(subject=None).values("subject"))
    for aggregator, edc, since in versions.values_list("aggregator", "edc").annotate(Min("history_date")).order_by():
        shown |= Q(purpose=AccessEntry.Purpose.TAKEOUT, subject=None, holder__in=[aggregator, edc], at__gte=since)
    return list(AccessEntry.objects.filter(shown).select_related("actor", "holder", "filed_by").order_by("-pk")[:LOOKS])


def told(use: PersonalUse) -> str:
    """A statement of personal use in words."""
    if use.kind == PersonalUse.Kind.RESERVE:
        return f"{use.reserve_percent.normalize():f} % stays in reserve"
    if use.kind == PersonalUse.Kind.BLACKOUT:
        days = ", ".join(dict(WEEKDAYS)[day] for day in sorted(use.weekdays))
        return f"{days}, {use.from_time:%H:%M} to {use.until_time:%H:%M}"
    return f"{timezone.localtime(use.starts_at):%d %b %Y, %H:%M} to {timezone.localtime(use.ends_at):%d %b %Y, %H:%M}"
