"""Which documents."""

from moc.access.queries import ScopedQuerySet


class DocumentQuerySet(ScopedQuerySet):
    """Documents by who may know of them, and who may open them."""

    def readable_by(self, user) -> "DocumentQuerySet":
        """Documents whose file the user may open: an uploaded filing names owners, an export reaches as far as the user who had it made."""
        uploads, exports = self.model.Kind.UPLOAD, self.model.Kind.EXPORT
        mine = self.visible_to(user).exclude(kind__in=[uploads, exports]) | self.visible_to(user).filter(kind=exports, uploaded_by=user.pk)
        return mine | self.visible_to(user, "view_personal").filter(kind=uploads)
