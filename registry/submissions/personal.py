"""The personal columns of filed rows: a model of its own, that no list joins (N12)."""

from django.db import models
from django.db.models import Q

from moc.access.queries import ScopedQuerySet
from registry.participants.models import OWNER_FIELDS, OWNER_GROUPS, OwnerFacts, about_owner
from registry.submissions.models import StagedDer


class StagedOwner(OwnerFacts):
    """The personal columns of a filed row, sealed, apart from its facts. `flaws`: what reading found in them, as bits.

    While the utility's data key rotates, `earlier_index` is the account's index under the former key: by it owners are met that were not
    indexed anew yet.
    """

    access_paths = ("row__aggregator", "row__edc")
    access_conditions = {"row__edc": Q(row__submission__submitted_at__isnull=False)}

    field_groups, hidden_by = OWNER_GROUPS, "data_key__organization"
    sealing = (*OwnerFacts.sealing, "flaws", "earlier_index")

    row = models.OneToOneField(StagedDer, on_delete=models.CASCADE, primary_key=True, related_name="owner", db_constraint=False)
    flaws = models.PositiveSmallIntegerField(default=0, editable=False)
    earlier_index = models.BinaryField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "filed owner"
        indexes = [models.Index(fields=["row"], condition=Q(earlier_index__isnull=False), name="staged_owner_renamed")]

    def about(self) -> bytes:
        """What the ciphertext is bound to, beside its key."""
        return about_owner(self.row.aggregator_id, self.holder_id)

    @property
    def holder_id(self) -> int:
        """Whose data key seals it: the utility's or, while the row names none, the aggregator's."""
        return self.row.edc_id or self.row.aggregator_id

    @property
    def filed_by_id(self) -> int:
        """The aggregator."""
        return self.row.aggregator_id


def filed_field(name: str) -> models.Field:
    """The field of a filing column; of a personal one that no table has as text."""
    return OWNER_FIELDS.get(name) or StagedDer._meta.get_field(name)
