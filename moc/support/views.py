"""Pages of support access: an organisation's grants and what was done under them; for staff, the grants that they may enter."""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.generic import View

from moc.access import policy
from moc.access.models import Membership, Organization
from moc.access.support import SupportAct, SupportGrant
from moc.portal import Create, Detail, Page
from moc.support import services
from moc.support.forms import GrantForm
from moc.support.middleware import ENTERED

TITLE, SHOWN = "Support access", 100


def administered(user) -> QuerySet[Organization]:
    """The organisations that the user may open to support: administers, and as one of its own."""
    seats = Membership.objects.filter(user=user, role=Membership.Role.ADMINISTRATOR, is_active=True).values("organization")
    rows = Organization.objects.visible_to(user, services.PERMISSION).exclude(kind=policy.OPERATOR)
    return rows.filter(pk__in=seats, is_active=True)


class SupportHome(Page):
    """The grants that the user may enter, and those of the user's organisations."""

    template_name = "support/home.html"
    title = TITLE
    lead = "Staff of the platform's operator see an organisation's records only while the organisation lets them."

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Let support in", reverse("support_grant"), True)] if administered(self.request.user).exists() else []

    def get_context_data(self, **kwargs) -> dict:
        user = self.request.user
        rows = SupportGrant.objects.visible_to(user).select_related("organization", "operator", "staff", "granted_by")
        shown = {
            "enterable": SupportGrant.objects.given_to(user).select_related("organization").order_by("until"),
            "grants": rows.order_by("-granted_at", "-pk")[:SHOWN],
        }
        return super().get_context_data(**shown | kwargs)


class Grant(Create):
    """Let support in."""

    title, submit_label, success = "Let support in", "Let them in", "Support is let in. You can end it at any time."
    permission = services.PERMISSION
    parents = ((TITLE, "support"),)
    form_class = GrantForm

    def allowed(self) -> bool:
        return administered(self.request.user).exists()

    def get_form_kwargs(self) -> dict:
        return {"organizations": administered(self.request.user)}

    def perform(self, form) -> SupportGrant:
        return services.grant(actor=self.request.user, **form.given())

    def done_url(self, result: SupportGrant) -> str:
        return reverse("support_detail", args=[result.uuid])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": reverse("support")} | kwargs)


class GrantDetail(Detail):
    """One grant, and what was done under it."""

    model = SupportGrant
    template_name = "support/detail.html"
    parents = ((TITLE, "support"),)
    related = ("organization", "operator", "staff", "granted_by")

    def facts(self) -> list:
        grant = self.object
        rows = [
            ("Organisation", grant.organization, None, ""),
            ("Let in", grant.staff or f"all staff of {grant.operator}", None, ""),
            ("May", grant.get_scope_display(), None, ""),
            ("Reason", grant.reason, None, ""),
            ("Granted by", grant.granted_by, None, ""),
            ("Granted", grant.granted_at, None, ""),
            ("Until", grant.until, None, ""),
            ("Ended early", grant.revoked_at, None, ""),
        ]
        return [("The grant", rows)]

    def get_context_data(self, **kwargs) -> dict:
        acts = SupportAct.objects.filter(grant=self.object).visible_to(self.request.user).select_related("user")
        may_end = self.object.is_live and policy.allows(self.request.user, services.PERMISSION, self.object.organization)
        return super().get_context_data(**{"acts": acts[: 10 * SHOWN], "may_end": may_end} | kwargs)


class Revoke(LoginRequiredMixin, View):
    """POST: end a grant of one's organisation."""

    http_method_names = ["post"]

    def post(self, request, uuid) -> HttpResponse:
        grant = get_object_or_404(SupportGrant.objects.filter(organization__in=administered(request.user)), uuid=uuid)
        services.revoke(actor=request.user, grant=grant)
        messages.success(request, "The support access has ended.")
        return HttpResponseRedirect(reverse("support_detail", args=[uuid]))


class Enter(LoginRequiredMixin, View):
    """POST: act for an organisation from now on."""

    http_method_names = ["post"]

    def post(self, request, uuid) -> HttpResponse:
        grant = get_object_or_404(SupportGrant.objects.given_to(request.user), uuid=uuid)
        services.enter(actor=request.user, grant=grant)
        request.session[ENTERED] = grant.pk
        return HttpResponseRedirect(reverse("home"))


class Leave(LoginRequiredMixin, View):
    """POST: act for oneself again."""

    http_method_names = ["post"]

    def post(self, request) -> HttpResponse:
        services.leave(actor=request.user)
        request.session.pop(ENTERED, None)
        return HttpResponseRedirect(reverse("support"))
