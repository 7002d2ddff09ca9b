"""Which documents."""

from django.db.models import Q

from moc.access.queries import ScopedQuerySet


class DocumentQuerySet(ScopedQuerySet):
    """Documents by who may know of them, and who may open them."""

    def versions_of(self, document) -> "DocumentQuerySet":
        """All versions of what a document is a version of, the newest first."""
        first = document.first_id or document.pk
        return self.filter(Q(pk=first) | Q(first=first)).order_by("-version")

    def readable_by(self, user) -> "DocumentQuerySet":
        """Documents whose file the user may open.

        An uploaded filing names owners, an export reaches as far as the user who had it made, a take-out holds all of its organisation,
        a snapshot what its organisation's auditors may read.
        """
        kinds = self.model.Kind
        seen = self.visible_to(user)
        mine = seen.exclude(kind__in=[kinds.UPLOAD, kinds.EXPORT, kinds.TAKEOUT, kinds.SNAPSHOT]) | seen.filter(
            kind=kinds.EXPORT, uploaded_by=user.pk
        )
        return (
            mine
            | self.visible_to(user, "view_personal").filter(kind=kinds.UPLOAD)
            | self.visible_to(user, "take_out").filter(kind=kinds.TAKEOUT)
            | self.visible_to(user, "audit").filter(kind=kinds.SNAPSHOT)
        )
