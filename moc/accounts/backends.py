"""Who signs in: active people, by e-mail address and password. Rights are none of this backend's business (moc.access.policy)."""

from allauth.account.auth_backends import AuthenticationBackend

from moc.access.models import User
from moc.accounts import lockout


class EmailBackend(AuthenticationBackend):
    """allauth's backend without Django's permission tables: our users have none."""

    def authenticate(self, request, **credentials) -> User | None:
        """Nobody, while the account is locked; it looks as if the password were wrong."""
        user = super().authenticate(request, **credentials)
        return None if user is not None and lockout.is_locked(user) else user

    def user_can_authenticate(self, user: User) -> bool:
        """Machine clients hold tokens; they have no session."""
        return super().user_can_authenticate(user) and user.kind == User.Kind.PERSON

    def get_user_permissions(self, user_obj, obj=None) -> set[str]:
        return set()

    def get_group_permissions(self, user_obj, obj=None) -> set[str]:
        return set()

    def get_all_permissions(self, user_obj, obj=None) -> set[str]:
        return set()

    def has_module_perms(self, user_obj, app_label: str) -> bool:
        return False
