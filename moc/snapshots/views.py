"""The page of snapshots: those that were made, and the form for another."""

from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from moc.access import policy
from moc.access.models import Organization
from moc.jobs.views import RUNNING, progress_of
from moc.portal import Create
from moc.snapshots import services
from moc.snapshots.forms import SnapshotForm
from moc.snapshots.models import Snapshot

SHOWN = 20


class Snapshots(Create):
    """What auditors asked for, newest first; whoever may audit asks for another."""

    permission = services.PERMISSION
    template_name = "snapshots/list.html"
    form_class = SnapshotForm
    title = "Snapshots"
    submit_label = "Take the snapshot"
    lead = (
        "The registry as it was recorded at a moment: all that your organization may see, under the seal that covers it. No personal data."
    )
    success = "The snapshot is being written; you will be told."

    def allowed(self) -> bool:
        if not policy.allows(self.request.user, services.PERMISSION):
            raise Http404
        return True

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [("Seals", reverse("seal_list")), (self.title, "")]

    @cached_property
    def organizations(self):
        """Those of the user's own for which the user audits."""
        own = [each.pk for each in policy.own_organizations(self.request.user)]
        mine = policy.reach(self.request.user, services.PERMISSION).intersection(own)
        return Organization.objects.filter(pk__in=mine).order_by("name")

    def get_form_kwargs(self) -> dict:
        return super().get_form_kwargs() | {"organizations": self.organizations}

    def perform(self, form) -> Snapshot:
        return services.ask(actor=self.request.user, **({"organization": self.organizations.first()} | form.cleaned_data))

    def done_url(self, result) -> str:
        return reverse("snapshot_list")

    def get_context_data(self, **kwargs) -> dict:
        rows = Snapshot.objects.visible_to(self.request.user, services.PERMISSION).order_by("-id")
        snapshots = list(rows.select_related("organization", "document", "requested_by", "job", "seal")[:SHOWN])
        own = (one.job for one in snapshots if one.job and one.job.status in RUNNING and one.job.user == self.request.user)
        running = next(own, None)
        shown = {"snapshots": snapshots, "now": timezone.now(), "progress": progress_of(running) if running else None}
        return super().get_context_data(**shown | kwargs)
