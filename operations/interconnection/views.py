"""Pages of interconnection: the studies, a new one, one with its year, its adoption; and settings that were read back."""

from django.urls import reverse
from django.utils.html import format_html

from moc.access import policy
from moc.portal import Create, Detail, List, Update
from moc.portal.shell import url_of
from operations.computed.views import ComputedDetail
from operations.interconnection import reports
from operations.interconnection.filters import ReadbackFilterSet, StudyFilterSet
from operations.interconnection.forms import AdoptForm, ReadbackForm, StudyForm
from operations.interconnection.models import InterconnectionStudy, SettingsReadback
from operations.interconnection.services import adopting, ordering, reading_back
from operations.interconnection.tables import READBACK_TABLE, STUDY_TABLE
from registry.ders.inverters import in_words
from registry.grid.forms import utilities_of

LETTERS = str.maketrans("123", "ABC")
STUDIES = (("Interconnection", "operations:interconnections"),)
READBACKS = (*STUDIES, ("Settings read back", "operations:settings_readbacks"))
Status = InterconnectionStudy.Status


def place_of(study: InterconnectionStudy):
    """The service point, or the bus and phases, of a study."""
    return study.service_point or f"{study.bus}, phases {study.phases.translate(LETTERS)}"


class Studies(List):
    """The studies within reach, newest first."""

    model = InterconnectionStudy
    title = "Flexible interconnection"
    lead = (
        "What a new DER may always do at its place (firm), and what it may do when the worst hours are curtailed (flexible), "
        "by power flow over a year."
    )
    noun = "studies"
    table = STUDY_TABLE
    filterset_class = StudyFilterSet

    def actions(self) -> list[tuple[str, str, bool]]:
        named = (("Settings read back", "settings_readbacks"), ("Deliverability under review", "review_screens"))
        shown = [(label, url, False) for label, name in named if (url := url_of(f"operations:{name}"))]
        may = utilities_of(self.request.user).exists()
        return [("Study a DER", reverse("operations:interconnection_new"), True), *shown] if may else shown


class NewStudy(Create):
    """A DER at a point of a feeder."""

    title = "Study a DER"
    lead = "Studied on the feeder's current network with all DERs that are registered behind it; nothing changes by a study."
    permission = ordering.PERMISSION
    parents = STUDIES
    form_class = StudyForm
    submit_label = "Study"

    def allowed(self) -> bool:
        return utilities_of(self.request.user).exists()

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> InterconnectionStudy:
        return ordering.order(actor=self.request.user, **form.cleaned_data)

    def done_url(self, result: InterconnectionStudy) -> str:
        return reverse("operations:interconnection", args=[result.uuid])


class StudyDetail(ComputedDetail):
    """One study: firm and flexible limits, the hours and months of its year, what binds, and what is proposed."""

    model = InterconnectionStudy
    template_name = "operations/interconnection/study.html"
    parents = STUDIES
    related = ("feeder", "edc", "network__feeder", "network__document", "service_point", "decision__review", "job")

    def actions(self) -> list[tuple[str, str, bool]]:
        one = self.object
        may = one.status == Status.DONE and policy.allows(self.request.user, adopting.PERMISSION, one.edc)
        return [("Adopt in a review", reverse("operations:interconnection_adopt", args=[one.uuid]), True)] if may else []

    def facts(self) -> list:
        one = self.object
        network = format_html('<a href="{}">{}</a>', reverse("operations:network", args=[one.network.uuid]), one.network)
        asked = [
            ("Feeder", one.feeder, None, ""),
            ("Place", place_of(one), None, ""),
            ("Network", network, None, "regulators and capacitors as they stand in it"),
            ("Technology", one.get_technology_display(), None, ""),
            ("Rated power", one.rated_kw, "kW", ""),
            ("Rated apparent power", one.rated_kva, "kVA", ""),
            ("Maximum charge", one.charge_kw, "kW", ""),
            ("Settings", "; ".join(in_words(one.inverter_settings)), None, "IEEE 1547-2018"),
            ("Accepted curtailment", one.accepted_percent, "%", "of a year's energy"),
            ("Utility", one.edc, None, ""),
        ]
        return [("What was studied", asked)]

    def get_context_data(self, **kwargs) -> dict:
        one = self.object
        shown = {}
        if one.result:
            shown |= {"sides": reports.sides_of(one), "year": reports.year_of(one), "hours": range(reports.HOURS)}
            shown |= {"windows": reports.windows_of(one), "proposed": in_words(one.proposed_settings)}
        if one.decision:
            shown["review_url"] = reverse("registry:review_detail", args=[one.decision.review.uuid])
        return super().get_context_data(**shown | kwargs)


class AdoptStudy(Update):
    """Decide a filed DER as it was studied."""

    model = InterconnectionStudy
    title = "Adopt a study in a review"
    lead = "The filed DER is approved with the study's flexible limits, limits by time and settings; envelopes keep them from then on."
    permission = adopting.PERMISSION
    parents = STUDIES
    form_class = AdoptForm
    submit_label = "Approve with these limits"
    template_name = "operations/interconnection/adopt.html"

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.object.edc)

    def get_form_kwargs(self) -> dict:
        return {"rows": adopting.rows_for(self.object)}

    def perform(self, form) -> InterconnectionStudy:
        adopting.adopt(actor=self.request.user, study=self.object, **form.cleaned_data)
        return self.object

    def done_url(self, result: InterconnectionStudy) -> str:
        return reverse("operations:interconnection", args=[result.uuid])

    def get_context_data(self, **kwargs) -> dict:
        one = self.object
        shown = {"object": one, "place": place_of(one), "cancel_url": self.done_url(one), "has_rows": adopting.rows_for(one).exists()}
        if not shown["has_rows"]:
            shown |= {"others": adopting.at_place(one).select_related("submission")[:10], "reviews_url": url_of("registry:review_list")}
        return super().get_context_data(**shown | kwargs)


class Readbacks(List):
    """What inverters were read back to have, newest first."""

    model = SettingsReadback
    title = "Settings read back"
    lead = "Told by aggregators and held against what was issued; differences, and silence, are findings of reliability."
    noun = "readings"
    table = READBACK_TABLE
    filterset_class = ReadbackFilterSet
    parents = STUDIES

    def actions(self) -> list[tuple[str, str, bool]]:
        may = policy.allows(self.request.user, reading_back.PERMISSION)
        return [("Tell what was read", reverse("operations:settings_readback_new"), True)] if may else []


class NewReadback(Create):
    """What one inverter was read to have, by form."""

    title = "Tell settings read back"
    lead = "Give all that is set; what is left empty was read to be off. It is held against what the utility issued."
    permission = reading_back.PERMISSION
    parents = READBACKS
    form_class = ReadbackForm
    submit_label = "Tell it"

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user, "initial": {"der": self.request.GET.get("der", "")}}

    def perform(self, form) -> SettingsReadback:
        return reading_back.tell(actor=self.request.user, **form.cleaned_data)

    def done_url(self, result: SettingsReadback) -> str:
        return reverse("operations:settings_readback", args=[result.pk])


class ReadbackDetail(Detail):
    """One reading, and what in it differs from what was issued."""

    model = SettingsReadback
    key = "pk"
    template_name = "operations/interconnection/readback.html"
    parents = READBACKS
    related = ("der", "aggregator", "edc")

    def facts(self) -> list:
        one = self.object
        der = format_html('<a href="{}">{}</a>', reverse("registry:der_detail", args=[one.der.uuid]), one.der)
        rows = [
            ("DER", der, None, ""),
            ("Read at", one.at, None, ""),
            ("Read by", one.get_source_display(), None, ""),
            ("Settings read back", "; ".join(in_words(one.inverter_settings)), None, "IEEE 1547-2018"),
            ("Export limit read back", one.export_limit_kw, "kW", ""),
            ("Import limit read back", one.import_limit_kw, "kW", ""),
            ("Settings issued", "; ".join(in_words(one.der.inverter_settings or {})), None, "by the utility's decision, as they stand now"),
            ("Aggregator", one.aggregator, None, ""),
            ("Utility", one.edc, None, ""),
        ]
        return [("Reading", rows)]
