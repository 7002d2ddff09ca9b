"""The hub of an organisation's administrators, and what their pages have in common."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.access.models import Organization
from moc.portal import Page
from moc.portal.shell import url_of

PERMISSION = "manage_utility"
TITLE = "Administration"
EVERY, UTILITY, PARTIES = "manage_members", PERMISSION, "take_out"
# (title, what it is for, permission, URL name, whether its address takes the organisation's slug); a page that is not installed is left out
PAGES = (
    ("People", "Members, their roles, invitations.", EVERY, "member_list", True),
    ("Machine clients", "Programs that use the API in the organization's name.", EVERY, "machine_list", True),
    ("Support access", "Time-limited grants to the platform's staff.", EVERY, "support_list", True),
    ("Contacts", "Whom others call, by purpose.", EVERY, "registry:admin_contacts", True),
    ("Review rules", "What filings must fulfil beyond the registry's own rules.", UTILITY, "registry:admin_rules", True),
    ("Review practice", "To whom new reviews go, and what a decision file may do.", UTILITY, "registry:admin_practice", True),
    ("Letters", "Letterhead and words of decision letters and certificates.", UTILITY, "registry:admin_letters", True),
    ("Retention", "How long uploads, findings, filed rows and evidence are kept.", UTILITY, "registry:admin_retention", True),
    (
        "Grid records",
        "Feeders, transformers, service points and what is above them.",
        "manage_grid",
        "registry:grid",
        False,
    ),
    ("Take-out", "Everything of the organization as files.", PARTIES, "takeout_list", True),
)


def administered(user, permission: str = EVERY):
    """The organisations that the user administers in this respect, by name; for the operator's staff only their own."""
    return Organization.objects.filter(pk__in=policy.reach(user, permission), is_active=True).order_by("name")


class Hub(Page):
    """What an organisation's administrator sets, each on its page."""

    title = TITLE
    template_name = "registry/administration/hub.html"

    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated and not policy.allows(request.user, EVERY):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs) -> dict:
        user = self.request.user
        parts = [(organization, self._pages(user, organization)) for organization in administered(user)]
        return super().get_context_data(**{"parts": parts} | kwargs)

    def _pages(self, user, organization: Organization) -> list[tuple[str, str, str]]:
        return [
            (title, about, url)
            for title, about, permission, name, by_slug in PAGES
            if policy.allows(user, permission, organization) and (url := url_of(name, *((organization.slug,) if by_slug else ())))
        ]


class OfOrganization:
    """A page about one organisation that the user administers; of any other: not found."""

    permission = EVERY
    kinds = tuple(Organization.Kind)
    back, back_title = "", ""

    @cached_property
    def organization(self) -> Organization:
        mine = administered(self.request.user, self.permission).filter(kind__in=self.kinds)
        return get_object_or_404(mine, slug=self.kwargs["slug"])

    def allowed(self) -> bool:
        return self.organization is not None

    def address(self, name: str, *args) -> str:
        return reverse(f"registry:{name}", args=[self.organization.slug, *args])

    def breadcrumbs(self) -> list[tuple[str, str]]:
        trail = [(f"{TITLE} of {self.organization}", reverse("registry:administration"))]
        if self.back:
            trail.append((self.back_title, self.address(self.back)))
        return [*trail, (self.get_title(), "")]

    def get_context_data(self, **kwargs) -> dict:
        shown = {"organization": self.organization} | ({"cancel_url": self.address(self.back)} if self.back else {})
        return super().get_context_data(**shown | kwargs)


class OfUtility(OfOrganization):
    """A page about one utility that the user administers."""

    permission = PERMISSION
    kinds = (Organization.Kind.EDC,)

    @property
    def edc(self) -> Organization:
        return self.organization

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"edc": self.edc} | kwargs)
