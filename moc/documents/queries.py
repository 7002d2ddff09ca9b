"""Which documents."""

from moc.access.queries import ScopedQuerySet


class DocumentQuerySet(ScopedQuerySet):
    """Documents by who may know of them, and who may open them."""

    def readable_by(self, user) -> "DocumentQuerySet":
        """Documents whose file the user may open: an uploaded filing names owners."""
        uploads = self.model.Kind.UPLOAD
        return self.visible_to(user).exclude(kind=uploads) | self.visible_to(user, "view_personal").filter(kind=uploads)
