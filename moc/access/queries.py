"""Querysets of access: every scoped list starts here."""

from django.db.models import QuerySet


class ScopedQuerySet(QuerySet):
    """Records that a user may see, by the model's `access_paths`."""

    def visible_to(self, user, permission: str = "view_registry") -> "ScopedQuerySet":
        """The rows that `user` may see with `permission`; nothing for a stranger."""
        from moc.access import policy

        return policy.scope(self, user, permission)
