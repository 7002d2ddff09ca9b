"""Rules on filings that change registered DERs: each looks only at rows of the kinds that it is about (Order 2222 ¶336)."""

from django.db.models import Exists, F, OuterRef, Q

from moc.intervals import TODAY
from moc.rules import rule
from registry.ders.models import Der
from registry.submissions.kinds import Kind

CITES = "FERC Order 2222 ¶336"
CHANGING = [kind for kind in Kind if kind not in (Kind.REGISTER, Kind.SWITCH)]  # of DERs that the filer holds
OF_OWNERS = [Kind.TRANSFER, Kind.RELOCATE]
SOLD = Q(decommissioned_on__isnull=True, service_point=F("der__service_point"))  # stays where it is


def _new_account(rows):
    return rows.exclude(owner__account_index=F("der__owner__account_index"))


@rule("CHANGE-UNKNOWN", remedy="Give the id of a DER of yours, or register it.", columns=("external_id",), cites=CITES)
def unknown(rows):
    """A change is about a registered DER, and this id names none of yours."""
    return rows.filter(submission__kind__in=CHANGING, der__isnull=True)


@rule("CHANGE-RETIRED", remedy="Leave it out.", columns=("external_id",), cites=CITES)
def retired(rows):
    """The DER has left for good."""
    return rows.filter(submission__kind__in=CHANGING, der__status=Der.Status.DECOMMISSIONED)


@rule("CHANGE-NOT-IN-SERVICE", remedy="Leave it out.", columns=("external_id",))
def not_in_service(rows):
    """Only a DER that is active goes out of service."""
    return rows.filter(submission__kind=Kind.SUSPEND).exclude(der__status=Der.Status.ACTIVE)


@rule("CHANGE-IN-SERVICE", remedy="Leave it out.", columns=("external_id",))
def in_service(rows):
    """Only a DER that is not in service goes into service."""
    return rows.filter(submission__kind=Kind.REINSTATE).exclude(der__status__in=[Der.Status.APPROVED, Der.Status.INACTIVE])


@rule("CHANGE-NO-LAST-DAY", remedy="Fill decommissioned_on; the day may not lie in the future.", columns=("decommissioned_on",))
def no_last_day(rows):
    """A DER retires on a day, today or before."""
    leaving = rows.filter(Q(submission__kind=Kind.RETIRE) | Q(submission__kind__in=CHANGING, decommissioned_on__isnull=False))
    return leaving.filter(Q(decommissioned_on__isnull=True) | Q(decommissioned_on__gt=TODAY))


@rule("CHANGE-SAME-OWNER", remedy="Give the new owner's account.", columns=("edc_account_no",))
def same_owner(rows):
    """A DER that goes to another owner has another account with the utility."""
    return rows.filter(SOLD, submission__kind__in=OF_OWNERS, owner__account_index=F("der__owner__account_index"))


@rule(
    "CHANGE-CONSENT",
    remedy="Ask the new owner for consent, and give its reference.",
    columns=("consent_reference",),
    cites="FERC Order 2222 ¶270; the former owner's consent binds nobody else",
)
def consent_kept(rows):
    """The consent is the former owner's: a new owner consents anew."""
    return _new_account(rows.filter(SOLD, submission__kind__in=OF_OWNERS, consent_reference=F("der__consent_reference")))


@rule("SWITCH-OWN", remedy="Leave it out.", columns=("external_id",))
def held_already(rows):
    """The aggregator holds the DER already."""
    return rows.filter(submission__kind=Kind.SWITCH, der__aggregator=F("aggregator"))


@rule("SWITCH-RETIRED", remedy="Leave it out.", columns=("external_id",))
def switch_of_retired(rows):
    """A DER that has left for good goes to nobody."""
    return rows.filter(submission__kind=Kind.SWITCH, der__status=Der.Status.DECOMMISSIONED)


@rule("SWITCH-PENDING", remedy="Wait until it is decided.", columns=("external_id",))
def switched_already(rows):
    """Another switch of the DER is under review."""
    others = rows.model.objects.filter(
        der=OuterRef("der"), submission__kind=Kind.SWITCH, submission__status="in_review", status__in=rows.model.OPEN
    )
    return rows.filter(Exists(others.exclude(submission=OuterRef("submission"))), submission__kind=Kind.SWITCH)


OF_SWITCHES = [held_already, switch_of_retired, switched_already]
RULES = [unknown, retired, not_in_service, in_service, no_last_day, same_owner, consent_kept]
