"""What holds on a day."""

from datetime import date

from django.db.models import Q

from moc.access.queries import ScopedQuerySet


class DatedQuerySet(ScopedQuerySet):
    """Rows that hold on days."""

    def on(self, day: date) -> "DatedQuerySet":
        """In force on a day."""
        return self.filter(valid_during__contains=day)


class ConsentQuerySet(ScopedQuerySet):
    """Consents of owners."""

    def on(self, day: date) -> "ConsentQuerySet":
        """In force on a day: not revoked, not expired."""
        return self.filter(Q(expires_on=None) | Q(expires_on__gte=day), status="in_force", granted_on__lte=day)

    def of(self, owner: int, aggregator: int, scope: str) -> "ConsentQuerySet":
        """Those that an owner ever gave an aggregator for a scope."""
        return self.filter(owner=owner, aggregator=aggregator, scopes__contains=[scope])

    def bars(self, owner: int, aggregator: int, scope: str, day: date) -> bool:
        """Whether the owner consented once and does no longer. Where no consent is on record, the filing's attestation stands for it."""
        ever = self.of(owner, aggregator, scope)
        return ever.exists() and not ever.on(day).exists()
