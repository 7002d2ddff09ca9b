"""Machine clients: programs of an organisation, each a user with one membership; what they prove themselves by, and their tokens."""

import hashlib
import secrets
import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from moc.access.models import Membership, User
from moc.access.queries import ScopedQuerySet
from moc.history import DatabaseTrigger, Versions

TOKEN_PREFIX, SECRET_PREFIX = "mocm_", "mocs_"
SLOTS = (1, 2)


def digest_of(secret: str) -> str:
    """What is kept of a secret or a token. They are random, 256 bits: a plain digest cannot be searched backwards."""
    return hashlib.sha256(secret.encode()).hexdigest()


class OneSeat(DatabaseTrigger):
    """A machine's user has exactly one membership: another is refused, however it is written; its row is locked meanwhile."""

    when, level, operation = pgtrigger.Before, pgtrigger.Row, pgtrigger.Insert | pgtrigger.UpdateOf("user_id")
    declare = [("machine", "boolean")]

    def get_func(self, model) -> str:
        user, seat = User._meta.db_table, model._meta.db_table
        return f"""
            SELECT kind = '{User.Kind.MACHINE}' INTO machine FROM "{user}" WHERE id = NEW.user_id FOR NO KEY UPDATE;
            IF machine AND EXISTS (SELECT FROM "{seat}" WHERE user_id = NEW.user_id AND id <> NEW.id) THEN
                RAISE EXCEPTION 'A machine client has one membership' USING ERRCODE = 'unique_violation', CONSTRAINT = 'machine_one_seat';
            END IF;
            RETURN NEW;"""


class KindKept(DatabaseTrigger):
    """A person never becomes a machine, nor a machine a person: memberships and ways to sign in hang on it."""

    when, level, operation = pgtrigger.Before, pgtrigger.Row, pgtrigger.UpdateOf("kind")

    def get_func(self, model) -> str:
        return """
            IF NEW.kind <> OLD.kind THEN
                RAISE EXCEPTION 'The kind of a user never changes' USING ERRCODE = 'check_violation', CONSTRAINT = 'user_kind_kept';
            END IF;
            RETURN NEW;"""


pgtrigger.register(OneSeat(name="one_seat"))(Membership)
pgtrigger.register(KindKept(name="kind_kept"))(User)


class MachineClient(models.Model):
    """A program of an organisation (OAuth 2.0 client, RFC 6749). Its user is the membership's; `scopes` narrow what the role gives.

    It is active while its user is. `last_used_at` is written at most once a minute, and not in history.
    """

    access_paths = ("membership__organization",)

    uuid = models.UUIDField("client id", default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=80)
    membership = models.OneToOneField(Membership, on_delete=models.PROTECT, related_name="client")
    scopes = ArrayField(models.CharField(max_length=30), help_text="permissions of roles.py; none that the role does not give")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ScopedQuerySet.as_manager()
    history = Versions(excluded_fields=["last_used_at"])

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(scopes__len__gt=0), name="machineclient_has_scopes")]

    def __str__(self) -> str:
        return self.name

    @property
    def user(self) -> User:
        return self.membership.user


class CredentialQuerySet(ScopedQuerySet):
    """Secrets and keys by what they are good for."""

    def usable(self) -> "CredentialQuerySet":
        """Neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())


class MachineCredential(models.Model):
    """What a client proves itself by: a secret, of which only the digest is kept, or a public key (RFC 7517) with its one algorithm.

    Two of each kind may be valid at a time, in two slots, so that one is replaced while the other works.
    """

    access_paths = ("client__membership__organization",)

    class Kind(models.TextChoices):
        SECRET = "secret", "Secret"
        KEY = "key", "Public key"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client = models.ForeignKey(MachineClient, on_delete=models.PROTECT, related_name="credentials")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    slot = models.PositiveSmallIntegerField(editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    hint = models.CharField(max_length=43, help_text="the last characters of a secret, or the thumbprint of a key")
    key = models.JSONField(null=True, blank=True, help_text="the public key as JWK")
    algorithm = models.CharField(max_length=6, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CredentialQuerySet.as_manager()
    history = Versions(excluded_fields=["digest", "last_used_at"])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "kind", "slot"], condition=Q(revoked_at=None), name="machinecredential_two_valid"),
            models.CheckConstraint(condition=Q(slot__in=SLOTS), name="machinecredential_slot"),
            models.CheckConstraint(
                condition=Q(kind="secret", key=None, algorithm="") & ~Q(digest="")
                | Q(kind="key", key__isnull=False, digest="", algorithm__in=["ES256", "RS256", "EdDSA"]),
                name="machinecredential_secret_or_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} …{self.hint[-6:]} of {self.client}"

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()


class MachineToken(models.Model):
    """An access token: opaque, short-lived; only its digest is kept. It lives while its credential, client and user do."""

    access_paths = ("client__membership__organization",)

    client = models.ForeignKey(MachineClient, on_delete=models.CASCADE, related_name="tokens")
    credential = models.ForeignKey(MachineCredential, on_delete=models.CASCADE, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=30))
    issued_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(expires_at__gt=F("issued_at")), name="machinetoken_expires")]

    def __str__(self) -> str:
        return f"Token of {self.client}"

    @classmethod
    def living(cls, digest: str) -> models.QuerySet:
        """The token with this digest, if neither it nor its credential was revoked or has expired and its user is active."""
        now = timezone.now()
        return cls.objects.filter(
            digest=digest,
            revoked_at=None,
            expires_at__gt=now,
            credential__revoked_at=None,
            credential__expires_at__gt=now,
            client__membership__user__is_active=True,
        )

    @classmethod
    def seats_of(cls, digest: str) -> models.QuerySet:
        """The membership of the client whose token this is, if the token lives."""
        return cls.living(digest).values("client__membership")

    @staticmethod
    def fresh() -> str:
        return TOKEN_PREFIX + secrets.token_urlsafe(32)


class UsedAssertion(models.Model):
    """The `jti` of a signed assertion that was accepted: the same one is refused until it has expired by itself (RFC 7523, section 3)."""

    access_paths = ("client__membership__organization",)

    client = models.ForeignKey(MachineClient, on_delete=models.CASCADE, related_name="assertions")
    digest = models.CharField(max_length=64, editable=False)
    expires_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "digest"], name="usedassertion_once")]

    def __str__(self) -> str:
        return f"Assertion of {self.client}"
