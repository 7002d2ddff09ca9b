"""The admin site: who may enter, its front page, and its list of records by slice."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import update_wrapper

from django.apps import apps
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import resolve_url
from django.urls import get_script_prefix
from django.utils.text import capfirst
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from moc.access import policy
from moc.admin.changelist import AS_OF

ENTRY = ("audit", "administer", "manage_grid", "manage_rulesets", "manage_members")
MOST_LISTS = 100  # lists of records that are kept, one for each set of permissions that is met
NOT_OURS = {"login", "logout", "password_change", "password_change_done", "view_on_site"}


@dataclass(frozen=True)
class Line:
    """One line of a panel of the front page. `status` is a status code, shown with its label."""

    text: str
    url: str = ""
    note: str = ""
    status: str = ""
    label: str = ""
    moment: object = None


@dataclass(frozen=True)
class Panel:
    """A part of the front page, seen by those who hold the permission."""

    title: str
    permission: str
    order: int
    empty: str
    lines: Callable[[object], Iterable[Line]]


panels: list[Panel] = []


def panel(title: str, *, permission: str = "audit", order: int = 50, empty: str = "Nothing."):
    """Declare a part of the front page: a function user → lines."""

    def declare(lines: Callable[[object], Iterable[Line]]):
        panels.append(Panel(title, permission, order, empty, lines))
        return lines

    return declare


class Workplace(AdminSite):
    """Auditors and administrators work here; policy.py decides, and what one may not see is not there."""

    index_title = "Workplace"
    site_url = "/"
    enable_nav_sidebar = True

    def __init__(self, name="admin"):
        super().__init__(name)
        self._lists: dict[tuple, list[dict]] = {}

    @property
    def site_title(self) -> str:
        return settings.MOC_TITLE

    site_header = site_title

    def has_permission(self, request) -> bool:
        return any(policy.allows(request.user, permission) for permission in ENTRY)

    def admin_view(self, view, cacheable=False):
        """Strangers are sent to sign in; whoever has no work here, and whatever may not be read, finds no page."""

        def inner(request, *args, **kwargs):
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
            if not self.has_permission(request):
                raise Http404
            try:
                return view(request, *args, **kwargs)
            except PermissionDenied:
                if request.method in {"GET", "HEAD"}:
                    raise Http404 from None
                raise

        wrapped = csrf_protect(inner if cacheable else never_cache(inner))
        return update_wrapper(wrapped, view)

    def get_urls(self):
        """Signing in and out belongs to the accounts' pages."""
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) not in NOT_OURS]

    def get_app_list(self, request, app_label=None) -> list[dict]:
        """The records by slice, in the order of the slices, instead of one long list per app.

        Whoever holds the same permissions is shown the same; on a page of the past or of a former record nobody is offered to write.
        """
        key = (policy.held(request.user), bool(request.GET.get(AS_OF)), hasattr(request, "held_until"), app_label, get_script_prefix())
        if key not in self._lists:
            if len(self._lists) == MOST_LISTS:
                self._lists.clear()
            self._lists[key] = self._app_list(request, app_label)
        return self._lists[key]

    def _app_list(self, request, app_label) -> list[dict]:
        sections: dict[str, dict] = {}
        for app in super().get_app_list(request, app_label):
            for entry in app["models"]:
                title = self._registry[entry["model"]].section_title
                section = sections.setdefault(title, {**app, "name": title, "models": []})
                section["models"].append({**entry, "name": capfirst(entry["model"]._meta.verbose_name_plural)})
        return [sections[title] for title in sorted(sections)]

    def app_index(self, request, app_label, extra_context=None):
        """All records of one package, under its name."""
        names = {config.label: config.verbose_name for config in apps.get_app_configs()}
        return super().app_index(request, app_label, {"title": names.get(app_label), **(extra_context or {})})

    def index(self, request, extra_context=None):
        """The front page: what waits, what changed."""
        shown = [
            {"title": part.title, "empty": part.empty, "lines": list(part.lines(request.user))}
            for part in sorted(panels, key=lambda part: part.order)
            if policy.allows(request.user, part.permission)
        ]
        from moc.admin.front import figures

        return super().index(request, {"figures": figures(request.user), "panels": shown, **(extra_context or {})})
