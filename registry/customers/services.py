"""The verbs about owners: an account by invitation, consents, personal use."""

from collections.abc import Iterable
from datetime import date
from time import time

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import timezone

from moc import sealed, sight
from moc.access import policy
from moc.access.models import Organization, User
from moc.accounts.services import claim_address
from moc.documents.models import Document
from moc.documents.services import store
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.jobs import services as jobs
from moc.notices.services import tell, worded
from registry.customers import reports
from registry.customers.models import OwnerAccount, PersonalUse
from registry.ders.models import Der
from registry.participants import services as participants
from registry.participants.models import Consent, DerOwner

PURPOSE, LINK_SECONDS = "owner-account", 7 * 24 * 3600
LEAVE = "registry.aggregations.tasks.end_without_consent"
NOT_YOURS = policy.NotPermitted("Only its owner may do this.")


def invite(*, actor, owner: DerOwner) -> None:
    """Write to the address on the owner's record; the look is logged, and nothing is kept until the link is followed.

    Raises UserError when there is no address, or the owner revoked the consent to be reached.
    """
    found = participants.reveal(actor=actor, record=owner, purpose="contact", text="Invitation to the owner's page")
    email = found["owner_email"].lower()
    if not email:
        raise UserError("There is no e-mail address on the owner's record.", "File it first.", "OWNER-ADDRESS")
    key = sealed.seal([owner.pk, str(owner.subject), int(time())], PURPOSE)
    url = settings.MOC_PUBLIC_URL + reverse("registry:owner_welcome", args=[key])
    body = worded("owner_invitation.txt", {"owner": owner, "url": url})
    send_mail(f"Your energy resources in {settings.MOC_TITLE}", body.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [email])


@sight.engine()
def invited(key: str) -> tuple[DerOwner, str, User | None] | None:
    """(owner, address, the account that has the address) behind a link; None for one that is forged, too old, or of another person."""
    pk, subject, made = sealed.unseal(key, PURPOSE) or (0, "", 0)
    if time() - made > LINK_SECONDS:
        return None
    owner = DerOwner.objects.filter(pk=pk, subject=subject, erased_at=None).select_related("aggregator", "edc").first()
    email = owner and participants.opened(owner)["owner_email"].lower()
    return (owner, email, User.objects.filter(email__iexact=email).first()) if email else None


def open_account(*, key: str, password: str = "", name: str = "", user: User | None = None) -> OwnerAccount:
    """Whoever followed the link has the address: make the account, or give the records to the signed-in `user` who has it.

    All records of the same utility account come along. Raises UserError (LINK_VOID).
    """
    found = invited(key)
    if found is None or found[2] != user:
        raise UserError("This link is no longer valid.", "Ask your aggregator or your utility for another one.", "LINK_VOID")
    owner, email, _ = found
    with acting(user, "system: an owner opened the account" if user is None else "Opened the owner's account"):
        if user is None:
            user = User.objects.create_user(email, password, name=name)
            claim_address(user)
        same = DerOwner.objects.filter(edc=owner.edc, account_index=owner.account_index, data_key=owner.data_key, erased_at=None)
        every = {owner.pk, *(same.values_list("pk", flat=True) if owner.account_index else ())}
        OwnerAccount.objects.bulk_create(
            (OwnerAccount(user=user, owner_id=pk, edc=owner.edc) for pk in sorted(every)), ignore_conflicts=True
        )
        return OwnerAccount.objects.get(user=user, owner=owner)


@sight.engine()
def _require_owner(actor, owner: int) -> None:
    if not reports.owners(actor).filter(pk=owner).exists():
        raise NOT_YOURS


def consent(
    *, actor, owner: DerOwner, aggregator: Organization, scopes: Iterable[str], purpose: str, expires_on: date | None = None, evidence=None
) -> Consent:
    """Record a consent: the owner's own word, or with `evidence` (an upload) what the owner signed for the aggregator.

    Raises NotPermitted; UserError for an unknown scope, a day that is past, or missing evidence.
    """
    own = evidence is None
    if own:
        _require_owner(actor, owner.pk)
    else:
        policy.require(actor, "file_ders", aggregator)
        policy.require(actor, "file_ders", owner)
    scopes = sorted(set(scopes))
    if not scopes or set(scopes) - set(Consent.Scope.values) or aggregator.kind != Organization.Kind.AGGREGATOR:
        raise UserError("Say to what the owner consents, and to whom.", "Choose from the list.", "CONSENT-SCOPE")
    if expires_on is not None and expires_on < timezone.localdate():
        raise UserError("The consent would have ended already.", "Choose a later day, or none.", "CONSENT-PAST")
    with acting(actor, f"Consent to {aggregator}: {', '.join(scopes)}"):
        parties = {"owner": aggregator, "counterparty": owner.edc}
        shown = None if own else store(actor=actor, kind=Document.Kind.EVIDENCE, upload=evidence, **parties)
        said = {"scopes": scopes, "purpose": purpose, "expires_on": expires_on, "evidence": shown, "by_owner": own}
        made = Consent.objects.create(owner=owner, aggregator=aggregator, edc=owner.edc, recorded_by=actor, **said)
        if own:
            _tell(made, f"An owner consented: {', '.join(Consent.Scope(scope).label for scope in scopes)}")
    return made


def revoke(*, actor, consent: Consent, reason: str) -> None:
    """End a consent from now on: by the owner, or by the aggregator whom the owner told. Raises NotPermitted, TransitionRefused."""
    if actor is not None and not policy.allows(actor, "file_ders", consent.aggregator):
        _require_owner(actor, consent.owner_id)
    with acting(actor, reason):
        rows = Consent.objects.filter(pk=consent.pk)
        Consent.lifecycle.move(rows, "revoke", actor=actor, reason=reason, revoked_at=timezone.now())
        _tell(consent, "An owner revoked a consent: what it allowed ends now")
        if Consent.Scope.MARKET in consent.scopes:
            jobs.enqueue(actor=None, task=LEAVE, title="End memberships without consent")


def _tell(consent: Consent, subject: str) -> None:
    url = reverse("registry:consent_detail", args=[consent.uuid])
    tell(consent.aggregator, "file_ders", event="consent", subject=subject, url=url, consent=consent)


def state_use(*, actor, der: Der, kind: str, **facts) -> PersonalUse:
    """The owner keeps something of a DER; a new reserve takes the place of the former. Raises NotPermitted, ValidationError."""
    _require_owner(actor, der.owner_id)
    with acting(actor, f"Personal use: {PersonalUse.Kind(kind).label}"):
        if kind == PersonalUse.Kind.RESERVE:
            PersonalUse.objects.standing().filter(der=der, kind=kind).update(ended_at=timezone.now())
        made = PersonalUse(der=der, edc_id=der.edc_id, kind=kind, stated_by=actor, **facts)
        made.full_clean(exclude=["der", "edc", "stated_by"])
        made.save(force_insert=True)
        if der.aggregator is not None:
            subject, url = f"The owner of {der.external_id}: {reports.told(made)}", reverse("registry:der_detail", args=[der.uuid])
            tell(der.aggregator, "file_ders", event="personal_use", subject=subject, url=url, use=made)
    return made


def end_use(*, actor, use: PersonalUse) -> None:
    """The owner no longer keeps it. Raises NotPermitted, Conflict."""
    with sight.engine():
        owner = Der.objects.values_list("owner_id", flat=True).get(pk=use.der_id)
    _require_owner(actor, owner)
    with acting(actor, "Took a personal use back"):
        if not PersonalUse.objects.standing().filter(pk=use.pk).update(ended_at=timezone.now()):
            raise Conflict("It was taken back already.", "Reload the page.")
