"""The demonstration's logins: at least one per party, all with the same password, and a production deployment refuses them."""

from moc.access.models import Membership, Organization, User
from moc.demo.parties import AGGREGATORS, OPERATOR, Party, parties

PASSWORD = "demonstration-state"

# (kind, role) → local part of the address; denials need two people at a utility, determinations two at an RTO or regulator
LOGINS = {
    "aggregator": {"approver": "files", "viewer": "looks", "administrator": "administers"},
    "edc": {"reviewer": "reviews", "approver": "confirms", "administrator": "administers"},
    "tso": {"viewer": "looks", "auditor": "hears", "administrator": "decides"},
    "rerra": {"auditor": "audits", "administrator": "decides"},
    "operator": {"administrator": "operates"},
}
SHOWN = [
    (AGGREGATORS[0].code, "approver"),
    (AGGREGATORS[0].code, "administrator"),
    ("JCPL", "reviewer"),
    ("JCPL", "approver"),
    ("JCPL", "administrator"),
    ("PJM", "viewer"),
    ("NJBPU", "auditor"),
    ("NJBPU", "administrator"),
    (OPERATOR.code, "administrator"),
]


def address(party: Party, role: str) -> str:
    """The e-mail address of a party's login in a role."""
    return f"{LOGINS[party.kind][role]}@{party.email_domain}"


def load_people(organizations: dict[str, Organization]) -> None:
    """One user per party and role. `organizations` is keyed by the party's code; runs inside acting()."""
    known = set(User.objects.values_list("email", flat=True))
    hashed = User(email="")
    hashed.set_password(PASSWORD)
    wanted = {address(party, role): (party, role) for party in parties() for role in LOGINS[party.kind]}
    User.objects.bulk_create(
        User(email=email, name=f"{party.name}, {role}", password=hashed.password)
        for email, (party, role) in wanted.items()
        if email not in known
    )
    users = {user.email: user for user in User.objects.filter(email__in=wanted)}
    Membership.objects.bulk_create(
        (Membership(user=users[email], organization=organizations[party.code], role=role) for email, (party, role) in wanted.items()),
        ignore_conflicts=True,
    )


def logins() -> list[tuple[str, str, str]]:
    """(party, role, e-mail) of the logins to show first: one per party of the story."""
    by_code = {party.code: party for party in parties()}
    return [(by_code[code].name, role, address(by_code[code], role)) for code, role in SHOWN if code in by_code]
