"""Who may call at all. What they see is decided by moc.access.policy, what they may do by the services."""

from rest_framework.permissions import BasePermission


class Nobody(BasePermission):
    """The default: a view that says nothing is closed."""

    def has_permission(self, request, view) -> bool:
        return False


class SignedIn(BasePermission):
    """Anybody who is known and active; the scope of a resource decides what there is to see."""

    def has_permission(self, request, view) -> bool:
        return bool(request.user and request.user.is_authenticated and request.user.is_active)
