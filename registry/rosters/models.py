"""Which accounts are in a utility's programme, and where the registry says otherwise. Account numbers stand here sealed, and as blind
indexes."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.rules import registry
from moc.vault.models import DataKey, SealedFacts
from registry.ders.models import Der


class Roster(models.Model):
    """The accounts of one programme of a utility, as it last gave them. The code is what filings name in `retail_programs`."""

    access_paths = ("edc",)

    uuid = models.UUIDField("roster id", default=uuid.uuid4, unique=True, editable=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="rosters", verbose_name="utility")
    program = models.CharField("programme code", max_length=40)
    account_count = models.PositiveIntegerField("accounts", default=0)
    received_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["edc", "program"]
        constraints = [models.UniqueConstraint(fields=["edc", "program"], name="roster_once")]

    def __str__(self) -> str:
        return f"{self.program} of {self.edc}"


class RosterEntry(models.Model):
    """One account of a roster: its blind index under the utility's data key. Replaced as a whole, so not recorded."""

    access_paths = ("edc",)

    roster = models.ForeignKey(Roster, on_delete=models.CASCADE, related_name="entries", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    account_index = models.BinaryField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "roster entries"
        constraints = [models.UniqueConstraint(fields=["roster", "account_index"], name="roster_account_once")]

    def __str__(self) -> str:
        return f"Account {self.pk}"


class RosterSheet(SealedFacts):
    """The account numbers of a roster, sealed, so that another data key can index them anew. Replaced as a whole, so not recorded."""

    access_paths = ("edc",)
    personal = ("accounts",)

    roster = models.OneToOneField(Roster, on_delete=models.CASCADE, related_name="sheet")
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Accounts of {self.roster}"

    def about(self) -> bytes:
        """What the ciphertext is bound to, beside its key."""
        return f"roster:{self.edc_id}".encode()


class RosterFinding(models.Model):
    """Registry and roster differ on a DER's programme; it goes by itself when they agree again."""

    access_paths = ("der__aggregator", "edc")

    der = models.ForeignKey(Der, on_delete=models.CASCADE, related_name="+")
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="utility")
    program = models.CharField("programme code", max_length=40)
    code = models.CharField(max_length=60)
    found_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["der", "program", "code"], name="roster_finding_once")]

    def __str__(self) -> str:
        return f"{self.der}: {self.code}"

    @property
    def rule(self):
        """The rule that found it."""
        return registry[self.code]
