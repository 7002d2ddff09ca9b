"""The context of the shell around every page: navigation by right, the account's menu, and the notice of a demonstration."""

from urllib.parse import urlencode

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from moc.access import policy
from moc.access.models import Membership
from moc.portal.queues import counts_by_entry

# (label, URL name, permission that opens it; empty: everybody signed in). What is looked up now and then is in the account's menu
NAVIGATION = (
    ("Home", "home", ""),
    ("DERs", "registry:der_list", "view_registry"),
    ("Aggregations", "registry:aggregation_list", "view_registry"),
    ("Aggregators", "registry:aggregator_list", "view_registry"),
    ("Submissions", "registry:submission_list", "view_registry"),
    ("Reviews", "registry:review_list", "view_registry"),
    ("Qualification", "registry:qualification_list", "view_registry"),
    ("Disputes", "settlement:dispute_list", "view_registry"),
    ("Grid", "registry:grid", "manage_grid"),
    ("Networks", "operations:networks", "manage_grid"),
    ("Envelopes", "operations:envelopes", "view_registry"),
    ("Readiness", "operations:states", "view_registry"),
    ("Outages", "operations:outages", "view_registry"),
    ("Administration", "registry:administration", "take_out"),
    ("Reports", "report_list", "run_reports"),
    ("State", "state", ""),
    ("Records", "admin:index", "audit"),
)
FOOTER = (("Public figures", "public"), ("Seals of the record", "seal_list"))
ACCOUNT_MENU = (
    ("Notifications", "notice_list", ""),
    ("Jobs", "job_list", ""),
    ("Account", "account_home", ""),
    ("Sessions", "account_sessions", ""),
    ("Your organization", "registry:administration", "manage_members"),
    ("Utilities and programs", "registry:utility_list", "view_registry"),
    ("Contacts", "registry:contact_list", "view_registry"),
    ("Access log", "access_log", "audit"),
    ("Personal data whose period ends", "registry:anonymisation", "audit"),
    ("Help", "help", ""),
)


def navigation(request) -> dict:
    """Context processor of base.html. Costs one query for who somebody is, one for what waits, and policy's for what they may."""
    context = {"moc_title": settings.MOC_TITLE, "site_notice": settings.MOC_SITE_NOTICE, "zone_name": settings.TIME_ZONE}
    context["footer_links"] = [(label, url) for label, name in FOOTER if (url := url_of(name))]
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return context
    counts = counts_by_entry(user)
    entries = [(label, url_of(name), counts.get(name)) for label, name, permission in NAVIGATION if _opens(user, permission)]
    mine = [(label, url_of(name), counts.get(name)) for label, name, permission in ACCOUNT_MENU if _opens(user, permission)]
    current = _current(request.path, [url for _, url, _ in entries if url])
    return context | {
        "nav": [(label, url, url == current, count) for label, url, count in entries if url],
        "account_name": str(user),
        "account_role": _role(user),
        "account_menu": [entry for entry in mine if entry[1]],
        "search_url": url_of("registry:der_list"),
    }


def url_of(name: str, *args, **query) -> str:
    """The address of a page, with a query, or nothing when that part of the platform is not installed."""
    try:
        url = reverse(name, args=args)
    except NoReverseMatch:
        return ""
    return f"{url}?{urlencode(query)}" if query else url


def _opens(user, permission: str) -> bool:
    return not permission or policy.allows(user, permission)


def _current(path: str, urls: list[str]) -> str:
    """The entry that the page belongs to: the longest that its address begins with; home only itself."""
    return max((url for url in urls if path == url or (url != "/" and path.startswith(url))), key=len, default="")


def _role(user) -> str:
    seats = Membership.objects.filter(user=user, is_active=True, organization__is_active=True)
    return "; ".join(f"{role}, {name}" for name, role in _labelled(seats.values_list("organization__name", "role").order_by("pk")))


def _labelled(rows):
    return [(name, Membership.Role(role).label) for name, role in rows]
