"""An organisation's administrators make its machine clients, replace their secrets and keys, and end them."""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from moc.access import policy
from moc.access.machines import SECRET_PREFIX, SLOTS, MachineClient, MachineCredential, MachineToken, digest_of
from moc.access.models import Membership, Organization, User
from moc.access.roles import ROLES, permissions_of
from moc.errors import UserError
from moc.history import acting
from moc.machines import keys

PERMISSION = "manage_members"
SHOWN_OF_SECRET = 6


def clients_of(organization: Organization) -> QuerySet[MachineClient]:
    """The organisation's clients with their users, by name."""
    rows = MachineClient.objects.filter(membership__organization=organization)
    return rows.select_related("membership__user", "membership__organization").order_by("name", "pk")


def create_client(*, actor: User, organization: Organization, name: str, role: str, scopes: Iterable[str]) -> MachineClient:
    """A program with a role in the organisation, narrowed to scopes; it proves itself by what is added to it next.

    Nobody gives what they do not hold. Raises UserError (ROLE_UNKNOWN, SCOPE_UNKNOWN).
    """
    policy.require(actor, PERMISSION, organization)
    if role not in ROLES[organization.kind]:
        raise UserError("Choose one of the roles of this kind of organisation.", code="ROLE_UNKNOWN")
    scopes = sorted(set(scopes))
    if not scopes or not set(scopes) <= permissions_of(organization.kind, role):
        raise UserError("Choose at least one scope, and only such as the role gives.", code="SCOPE_UNKNOWN")
    _require_all(actor, scopes, organization)
    with acting(actor, f"machine client {name} made"):
        client = MachineClient(name=name, scopes=scopes)
        email = f"{client.uuid}@machines.{organization.slug}.invalid"  # RFC 2606: nobody gets mail there
        user = User.objects.create_user(email, name=f"{name} (machine)", kind=User.Kind.MACHINE)
        client.membership = Membership.objects.create(user=user, organization=organization, role=role)
        client.save()
    return client


def create_with(*, actor: User, public_key: str = "", **facts) -> tuple[MachineClient, str]:
    """A client with its first secret, which is returned, or with public keys (then the secret is empty); all or nothing."""
    with transaction.atomic():
        client = create_client(actor=actor, **facts)
        if public_key:
            add_keys(actor=actor, client=client, text=public_key)
            return client, ""
        return client, add_secret(actor=actor, client=client)[1]


def add_secret(*, actor: User, client: MachineClient) -> tuple[MachineCredential, str]:
    """A new secret, shown this once; the older one stays valid until it is revoked. Raises UserError (TWO_VALID, CLIENT_ENDED)."""
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    with acting(actor, f"secret of {client} made"):
        _lock(actor, client)
        return _add(client, kind="secret", digest=digest_of(secret), hint=secret[-SHOWN_OF_SECRET:]), secret


def add_keys(*, actor: User, client: MachineClient, text: str) -> list[MachineCredential]:
    """The public keys of a pasted text. Raises UserError (TWO_VALID, CLIENT_ENDED, KEY_KNOWN, and those of keys.read)."""
    found = keys.read(text)
    with acting(actor, f"keys of {client} added"):
        _lock(actor, client)
        if client.credentials.filter(revoked_at=None, hint__in=[hint for _, _, hint in found]).exists():
            raise UserError("This key is the client's already.", "Paste another.", "KEY_KNOWN")
        return [_add(client, kind="key", key=key, algorithm=algorithm, hint=hint) for key, algorithm, hint in found]


def revoke_credential(*, actor: User, credential: MachineCredential) -> None:
    """End a secret or a key, and with it every token that it got."""
    policy.require(actor, PERMISSION, credential.client.membership.organization)
    with acting(actor, f"{credential} revoked"):
        MachineCredential.objects.filter(pk=credential.pk, revoked_at=None).update(revoked_at=timezone.now())


def revoke_tokens(*, actor: User, client: MachineClient) -> int:
    """End every token of a client that still lives; it may get new ones. Returns how many."""
    policy.require(actor, PERMISSION, client.membership.organization)
    now = timezone.now()
    return MachineToken.objects.filter(client=client, revoked_at=None, expires_at__gt=now).update(revoked_at=now)


def deactivate(*, actor: User, client: MachineClient, reason: str = "") -> None:
    """End a client for good: its user, membership, secrets, keys and tokens."""
    policy.require(actor, PERMISSION, client.membership.organization)
    now = timezone.now()
    with acting(actor, reason or f"machine client {client} ended"):
        User.objects.filter(pk=client.membership.user_id, is_active=True).update(is_active=False)
        Membership.objects.filter(pk=client.membership_id, is_active=True).update(is_active=False)
        client.credentials.filter(revoked_at=None).update(revoked_at=now)
        client.tokens.filter(revoked_at=None).update(revoked_at=now)


def _require_all(actor: User | None, scopes: Iterable[str], organization: Organization) -> None:
    """A program that manages programs makes none that is stronger than itself, nor takes over one that is."""
    for scope in scopes:
        policy.require(actor, scope, organization)


def _lock(actor: User | None, client: MachineClient) -> None:
    """Who may add credentials; one at a time. The client's row is locked, so that the slots are counted right."""
    organization = client.membership.organization
    policy.require(actor, PERMISSION, organization)
    _require_all(actor, set(client.scopes) & permissions_of(organization.kind, client.membership.role), organization)
    MachineClient.objects.select_for_update(of=("self",)).get(pk=client.pk)
    if not User.objects.filter(pk=client.membership.user_id, is_active=True).exists():
        raise UserError("This client has ended.", "Make another.", "CLIENT_ENDED")


def _add(client: MachineClient, *, kind: str, **facts) -> MachineCredential:
    """In the free slot; one that has expired is ended first."""
    now = timezone.now()
    client.credentials.filter(kind=kind, revoked_at=None, expires_at__lte=now).update(revoked_at=now)
    free = set(SLOTS) - set(client.credentials.filter(kind=kind, revoked_at=None).values_list("slot", flat=True))
    if not free:
        what = MachineCredential.Kind(kind).label.lower()
        raise UserError(f"The client has two valid {what}s already.", "Revoke the one that is no longer used.", "TWO_VALID")
    expires = now + timedelta(days=settings.MOC_CREDENTIAL_DAYS)
    return MachineCredential.objects.create(client=client, kind=kind, slot=min(free), expires_at=expires, **facts)
