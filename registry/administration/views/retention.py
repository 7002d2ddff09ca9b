"""Pages of retention: the periods with their bounds, what would go, and what went."""

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property

from moc.portal import Create, Page
from moc.portal.changes import REFUSALS
from registry.administration.forms import RetentionForm, from_today
from registry.administration.services import retention
from registry.administration.views.base import OfUtility
from registry.utilities.models import Removal, RetentionPeriod

REMOVALS = 50
DataClass = RetentionPeriod.DataClass


class Retention(OfUtility, Page):
    """Each class of working data: how long it is kept, within which bounds."""

    title = "Retention"
    lead = "Working data goes some days after its review was closed. The master record and every version of it are never removed."
    template_name = "registry/administration/retention.html"

    def get_context_data(self, **kwargs) -> dict:
        today = timezone.localdate()
        rows = RetentionPeriod.objects.filter(edc=self.edc).not_over(today)
        periods = {}
        for row in rows:
            periods.setdefault(row.data_class, []).append(row)
        classes = [(kind, periods.get(kind, []), retention.bounds(self.edc, kind)) for kind in DataClass]
        removals = Removal.objects.filter(edc=self.edc).select_related("period")[:REMOVALS]
        return super().get_context_data(**{"classes": classes, "removals": removals, "today": today} | kwargs)


class SetRetention(OfUtility, Create):
    """A period for one class of data; the preview says what it would let go today."""

    form_class = RetentionForm
    submit_label = "Put in force"
    template_name = "registry/administration/retention_form.html"
    back, back_title = "admin_retention", "Retention"
    success = "The period is set."

    @cached_property
    def data_class(self) -> DataClass:
        if self.kwargs["data_class"] not in DataClass.values:
            raise Http404
        return DataClass(self.kwargs["data_class"])

    def get_title(self) -> str:
        return f"Retention of {self.data_class.label.lower()}"

    def get_form_kwargs(self) -> dict:
        current = RetentionPeriod.objects.on(timezone.localdate()).filter(edc=self.edc, data_class=self.data_class).first()
        return {"initial": ({"days": current.days} if current else {}) | from_today()}

    def perform(self, form) -> RetentionPeriod:
        return retention.set_period(actor=self.request.user, edc=self.edc, data_class=self.data_class, **form.cleaned_data)

    def done_url(self, result) -> str:
        return self.address("admin_retention")

    def post(self, request, *args, **kwargs) -> HttpResponse:
        if "preview" not in request.POST or not self.form.is_valid():
            return super().post(request, *args, **kwargs)
        days = self.form.cleaned_data["days"]
        try:
            retention.require_within(self.edc, self.data_class, days)
        except REFUSALS as refusal:
            self.form.add_error(None, str(refusal))
            return self.render_to_response(self.get_context_data(), status=422)
        reviews, things = retention.preview(actor=request.user, edc=self.edc, data_class=self.data_class, days=days)
        return self.render_to_response(self.get_context_data(preview={"reviews": reviews, "things": things, "days": days}))

    def get_context_data(self, **kwargs) -> dict:
        shown = {
            "bounds": retention.bounds(self.edc, self.data_class),
            "more_submits": [("Preview", "preview")],
            "data_class": self.data_class,
        }
        return super().get_context_data(**shown | kwargs)
