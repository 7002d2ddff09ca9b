"""Pages of screens: all of them, what was found in one review, one with its worst hours, and its adoption."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from moc.access import policy
from moc.portal import List, Transition, Update
from operations.computed.views import ComputedDetail
from operations.interconnection.reports import year_of
from operations.screening import reports
from operations.screening.filters import FindingFilterSet, ScreenFilterSet
from operations.screening.forms import AdoptForm
from operations.screening.models import ReviewScreen, ScreenFinding
from operations.screening.services import ordering
from operations.screening.tables import FINDING_TABLE, SCREEN_TABLE
from registry.submissions.models import UtilityReview

SCREENS = (("Deliverability under review", "operations:review_screens"),)
Status = ReviewScreen.Status


class Screens(List):
    """The screens within reach, newest first."""

    model = ReviewScreen
    title = "Deliverability under review"
    lead = "All DERs of a submission together on their feeder's model, at most and at least dispatch, when it reaches the utility."
    noun = "screens"
    table = SCREEN_TABLE
    filterset_class = ScreenFilterSet


class OfReview(List):
    """What one review's DERs cannot always do: to both parties; the utility goes on to the screens themselves."""

    model = ScreenFinding
    noun = "findings"
    table = FINDING_TABLE
    filterset_class = FindingFilterSet
    lead = (
        "By power flow with all DERs of the submission together, where their feeder has a model; there, one that is not listed always can."
    )

    @cached_property
    def review(self) -> UtilityReview:
        rows = UtilityReview.objects.visible_to(self.request.user, self.permission).select_related("submission")
        return get_object_or_404(rows, uuid=self.kwargs["review"])

    def get_title(self) -> str:
        return f"Deliverability of {self.review.submission}"

    def rows(self):
        return super().rows().filter(review=self.review)

    def actions(self) -> list[tuple[str, str, bool]]:
        seen = ReviewScreen.objects.visible_to(self.request.user, self.permission).filter(review=self.review).select_related("feeder")
        shown = [
            (f"Screen on {each.feeder.code}", reverse("operations:review_screen", args=[each.uuid]), False) for each in seen.order_by("pk")
        ]
        return [("The review", reverse("registry:review_detail", args=[self.review.uuid]), False), *shown[:8]]


class ScreenDetail(ComputedDetail):
    """One screen: the worst hours, what binds, and each DER that gets less than was filed."""

    model = ReviewScreen
    template_name = "operations/screening/screen.html"
    parents = SCREENS
    related = ("review__submission", "feeder", "edc", "network__feeder", "network__document", "job")
    transition_url = "operations:review_screen_transition"

    def actions(self) -> list[tuple[str, str, bool]]:
        one = self.object
        may = one.status == Status.DONE and policy.allows(self.request.user, ordering.PERMISSION, one.edc)
        waits = may and ordering.proposals(one).exists()
        return [("Adopt the limits", reverse("operations:review_screen_adopt", args=[one.uuid]), True)] if waits else []

    def facts(self) -> list:
        one = self.object
        review = format_html('<a href="{}">{}</a>', reverse("registry:review_detail", args=[one.review.uuid]), one.review.submission)
        rows = [
            ("Review", review, None, ""),
            ("Feeder", one.feeder, None, ""),
            ("Network", one.network, None, "regulators and capacitors as they stand in it"),
            ("DERs of the submission on it", one.row_count, None, ""),
            ("Of which with less than was filed", one.short_count, None, ""),
            ("Computed", one.computed_at, None, ""),
            ("Utility", one.edc, None, ""),
        ]
        return [("Screen", rows)]

    def get_context_data(self, **kwargs) -> dict:
        one = self.object
        shown = {}
        if one.result:
            shown |= {"sides": reports.sides_of(one), "year": year_of(one)}
            found = ScreenFinding.objects.visible_to(self.request.user, self.permission).filter(screen=one)
            shown["findings"] = found.select_related("row__submission").order_by("limit_kw", "pk")[:200]
        return super().get_context_data(**shown | kwargs)


class ScreenTransition(Transition):
    """Screen again."""

    model = ReviewScreen
    detail_url = "operations:review_screen"

    def move(self, actor, obj: ReviewScreen, name: str, reason: str) -> None:
        ordering.again(actor=actor, screen=obj, reason=reason)


class AdoptScreen(Update):
    """Approve DERs with the limits of the screen."""

    model = ReviewScreen
    title = "Adopt the limits of a screen"
    lead = "These DERs are approved with what is always possible; the figures are attached as evidence, and envelopes keep the limits."
    permission = ordering.PERMISSION
    parents = SCREENS
    form_class = AdoptForm
    submit_label = "Approve with these limits"
    success = "The DERs are approved with these limits."

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.object.edc)

    def get_form_kwargs(self) -> dict:
        return {"findings": ordering.proposals(self.object)}

    def perform(self, form) -> ReviewScreen:
        ordering.adopt(actor=self.request.user, screen=self.object, **form.cleaned_data)
        return self.object

    def done_url(self, result: ReviewScreen) -> str:
        return reverse("operations:review_screen", args=[result.uuid])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": self.done_url(self.object)} | kwargs)
