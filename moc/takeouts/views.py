"""Pages of take-outs, for an organisation's administrators."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from moc.access import policy
from moc.access.models import Organization
from moc.jobs.views import RUNNING, progress_of
from moc.portal import Create
from moc.portal.shell import url_of
from moc.takeouts import services
from moc.takeouts.forms import TakeoutForm
from moc.takeouts.models import Takeout

SHOWN = 20


class Takeouts(Create):
    """The organisation's take-outs, and the form for another."""

    permission = services.PERMISSION
    template_name = "takeouts/list.html"
    form_class = TakeoutForm
    submit_label = "Start the take-out"
    lead = "Everything that the organization is a party to, with its history, as one archive of files. Nothing of anybody else."
    success = "The take-out is being written; you will be told."

    @cached_property
    def organization(self) -> Organization:
        mine = Organization.objects.filter(pk__in=policy.reach(self.request.user, services.PERMISSION))
        return get_object_or_404(mine, slug=self.kwargs["slug"])

    def get_title(self) -> str:
        return f"Take-out of {self.organization}"

    def allowed(self) -> bool:
        return self.organization is not None

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [("Administration", url_of("registry:administration")), (self.get_title(), "")]

    def perform(self, form) -> Takeout:
        given = form.cleaned_data
        return services.ask(
            actor=self.request.user, organization=self.organization, purpose=given["purpose"], plain=given["plain"] == "plain"
        )

    def done_url(self, result) -> str:
        return reverse("takeout_list", args=[self.organization.slug])

    def get_context_data(self, **kwargs) -> dict:
        rows = Takeout.objects.filter(organization=self.organization).select_related("document", "requested_by", "job")
        takeouts = list(rows[:SHOWN])
        running = next((one.job for one in takeouts if one.job and one.job.status in RUNNING and one.job.user == self.request.user), None)
        shown = {"takeouts": takeouts, "now": timezone.now(), "progress": progress_of(running) if running else None}
        return super().get_context_data(**shown | kwargs)
