"""Lists of disputes: the disputes within reach, their figures by utility, and the records of a bundle."""

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.portal import List, Page, Sort
from moc.portal.streaming import Tally, streamed
from settlement.disputes import reports
from settlement.disputes.filters import BundleFilterSet, DisputeFilterSet
from settlement.disputes.models import BundleItem, Dispute
from settlement.disputes.queries import OPEN
from settlement.disputes.services import bundles
from settlement.disputes.tables import BUNDLE_TABLE, DISPUTE_EXPORT, DISPUTE_TABLE

DISPUTES = (("Disputes", "settlement:dispute_list"),)


class DisputeList(List):
    """The disputes within reach by due date; closed ones only when asked for."""

    model = Dispute
    title = "Disputes"
    lead = "Over what a utility decided: between the parties, before the RTO, before the regulator."
    noun = "disputes"
    table = DISPUTE_TABLE
    filterset_class = DisputeFilterSet
    sorts = (Sort("due_at", ("due_at", "id")), Sort("-due_at", ("-due_at", "-id")))
    counts_filtered = True
    exports = (("CSV", "settlement:dispute_csv"), ("XLSX", "settlement:dispute_xlsx"))
    export_columns = DISPUTE_EXPORT
    export_name = "disputes"

    def filtered(self):
        rows = super().filtered()
        return rows if self.request.GET.get("status") else rows.filter(status__in=OPEN)

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Figures by utility", reverse("settlement:dispute_figures"), False)]


class Figures(Page):
    """Age, level and outcome, by utility."""

    title = "Disputes by utility"
    lead = "Age, level and outcome of the disputes that you may see."
    parents = DISPUTES
    template_name = "settlement/disputes/figures.html"

    def get_context_data(self, **kwargs) -> dict:
        user = self.request.user
        figures = reports.by_utility(user)
        shown = {
            "figures": figures,
            "levels": Dispute.Level.labels,
            "outcomes": Dispute.Outcome.labels,
            "charts": [reports.by_age(user), reports.by_level(figures), reports.by_outcome(figures)],
        }
        return super().get_context_data(**shown | kwargs)


def visible_dispute(user, uuid) -> Dispute:
    """A dispute within the scope, or 404."""
    rows = Dispute.objects.visible_to(user).select_related("aggregator", "edc", "tso", "rerra", "clock_rule")
    return get_object_or_404(rows, uuid=uuid)


class Bundle(List):
    """The frozen records of one dispute, those that the user may read."""

    model = BundleItem
    keeps_versions = False
    noun = "records"
    table = BUNDLE_TABLE
    template_name = "settlement/disputes/bundle.html"
    filterset_class = BundleFilterSet
    sorts = (Sort("id", ("id",)),)
    counts_filtered = True
    page_size = 100

    @cached_property
    def dispute(self) -> Dispute:
        return visible_dispute(self.request.user, self.kwargs["uuid"])

    def rows(self):
        return BundleItem.objects.visible_to(self.request.user).filter(dispute=self.dispute)

    def branches(self) -> None:
        """One index range: the items of the dispute, within the scope."""

    def get_title(self) -> str:
        return f"Bundle of {self.dispute}"

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Download (NDJSON)", reverse("settlement:dispute_bundle_file", args=[self.dispute.uuid]), False)]

    def get_context_data(self, **kwargs) -> dict:
        dispute = self.dispute
        trail = [
            ("Disputes", reverse("settlement:dispute_list")),
            (dispute.title, reverse("settlement:dispute", args=[dispute.uuid])),
            ("Bundle", ""),
        ]
        shown = {"dispute": dispute, "intact": bundles.is_intact(dispute), "breadcrumbs": trail}
        return super().get_context_data(**shown | kwargs)


class BundleFile(Page):
    """The same as a file to keep."""

    def get(self, request, *args, **kwargs) -> HttpResponse:
        dispute = visible_dispute(request.user, kwargs["uuid"])
        lines = reports.bundle_lines(dispute, BundleItem.objects.visible_to(request.user).filter(dispute=dispute))
        headers = {"Content-Disposition": f'attachment; filename="bundle-{dispute.uuid}.ndjson"', "Cache-Control": "no-store"}
        tally = Tally(f"Bundle of {dispute.title}", "ndjson")
        response = StreamingHttpResponse(streamed(request, tally.each(lines), tally), content_type="application/x-ndjson", headers=headers)
        response.tally = tally
        return response
