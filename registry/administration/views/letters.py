"""Pages of letters: versions, a new one, and how it looks on paper."""

from types import SimpleNamespace

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.generic import View

from moc.pdf import render_pdf
from moc.portal import Create, Page
from moc.portal.changes import REFUSALS
from registry.administration.forms import LetterForm
from registry.administration.services import letters
from registry.administration.views.base import OfUtility
from registry.utilities.models import LetterTemplate

Kind = LetterTemplate.Kind
REFERENCE = "00000000-0000-0000-0000-000000000000"
PAPER = {Kind.DECISION: "documents/decision_letter.html", Kind.CERTIFICATE: "documents/certificate.html"}


class Letters(OfUtility, Page):
    """The kinds of letters with their versions, newest first."""

    title = "Letters"
    lead = "Your letterhead and your words on decision letters and certificates. A decision keeps the version with which it was taken."
    template_name = "registry/administration/letters.html"

    def get_context_data(self, **kwargs) -> dict:
        rows = list(LetterTemplate.objects.filter(edc=self.edc).defer("logo"))
        kinds = [(kind, [row for row in rows if row.kind == kind]) for kind in Kind]
        return super().get_context_data(**{"kinds": kinds} | kwargs)


class OfLetter(OfUtility):
    """A page about one kind of letter."""

    @cached_property
    def kind(self) -> Kind:
        if self.kwargs["kind"] not in Kind.values:
            raise Http404
        return Kind(self.kwargs["kind"])

    def paper(self, letter: LetterTemplate) -> HttpResponse:
        """A version as it would look, with an example of what it is about."""
        context = {"letter": letter.words(example_values(letter)), "example": True, **EXAMPLES[self.kind](self.edc)}
        return render_pdf(self.request, PAPER[self.kind], context, f"{self.kind}-example.pdf", {"logo": bytes(letter.logo)})


class NewLetter(OfLetter, Create):
    """The next version of a letter."""

    lead = "Saving makes a new version; letters of decisions taken before keep theirs."
    form_class = LetterForm
    submit_label = "Save as a new version"
    template_name = "registry/administration/letter_form.html"
    back, back_title = "admin_letters", "Letters"
    success = "The new version is in force."

    def get_title(self) -> str:
        return self.kind.label

    @cached_property
    def latest(self) -> LetterTemplate | None:
        return LetterTemplate.objects.of(self.edc.pk, self.kind)

    def get_form_kwargs(self) -> dict:
        return {"initial": LetterForm.values_of(self.latest)}

    def given(self, form) -> dict:
        """What the services of letters take, from a valid form; an absent logo is that of the version before."""
        cleaned = form.cleaned_data
        logo = bytes(self.latest.logo) if self.latest and not cleaned["without_logo"] else b""
        if cleaned["logo"] and not cleaned["without_logo"]:
            logo = letters.logo_of(cleaned["logo"])
        return {"edc": self.edc, "kind": self.kind, "texts": {name: cleaned[name] for name in letters.TEXTS}, "logo": logo}

    def perform(self, form) -> LetterTemplate:
        return letters.save(actor=self.request.user, **self.given(form))

    def done_url(self, result) -> str:
        return self.address("admin_letters")

    def post(self, request, *args, **kwargs) -> HttpResponse:
        if "preview" not in request.POST or not self.form.is_valid():
            return super().post(request, *args, **kwargs)
        try:
            return self.paper(letters.draft(actor=request.user, **self.given(self.form)))
        except REFUSALS as refusal:
            self.form.add_error(None, str(refusal))
            return self.render_to_response(self.get_context_data(), status=422)

    def get_context_data(self, **kwargs) -> dict:
        shown = {"placeholders": LetterTemplate.PLACEHOLDERS[self.kind], "more_submits": [("Preview as PDF", "preview")]}
        return super().get_context_data(**shown | kwargs)


class LetterExample(LoginRequiredMixin, OfLetter, View):
    """A saved version as it looks, as PDF."""

    def get(self, request, *args, **kwargs) -> HttpResponse:
        rows = LetterTemplate.objects.filter(edc=self.edc, kind=self.kind)
        return self.paper(get_object_or_404(rows, version=self.kwargs["version"]))


def example_values(letter: LetterTemplate) -> dict[str, str]:
    """A letter's placeholders with what an example says."""
    today = f"{timezone.localdate():%Y-%m-%d}"
    said = {
        "utility": letter.edc.name,
        "aggregator": "Example Aggregator, Inc.",
        "submission": "Spring portfolio",
        "submitted_on": today,
        "decision": "Approve with limits",
        "decided_on": today,
        "count": "2",
        "reference": REFERENCE,
        "der": "EX-0001",
        "technology": "Photovoltaic",
        "registered_on": today,
    }
    return {name: said[name] for name in LetterTemplate.PLACEHOLDERS[letter.kind]}


def _decision(edc) -> dict:
    now, aggregator = timezone.now(), SimpleNamespace(name="Example Aggregator", legal_name="Example Aggregator, Inc.")
    rows = [
        SimpleNamespace(
            row_number=n, external_id=f"EX-000{n}", get_der_type_display="Photovoltaic", nameplate_ac_kw=8, premise_address="Elm St"
        )
        for n in (1, 2)
    ]
    decision = SimpleNamespace(
        title="Approved with limits",
        row_count=2,
        decided_at=now,
        confirmed_at=None,
        export_limit_kw=5,
        import_limit_kw=None,
        uuid=REFERENCE,
        statement="",
        answer="",
        kind="approve_limited",
    )
    submission = SimpleNamespace(title="Spring portfolio", submitted_at=now)
    return {"decision": decision, "review": SimpleNamespace(edc=edc, aggregator=aggregator, submission=submission), "rows": rows}


def _certificate(edc) -> dict:
    der = SimpleNamespace(
        uuid=REFERENCE,
        get_status_display="Active",
        registered_on=timezone.localdate(),
        aggregator="Example Aggregator",
        edc=edc,
        service_point="EX-SP-1",
        feeder="EX-F-1",
        county=None,
        approved_export_kw=8,
        approved_import_kw=0,
        export_limit_kw=5,
        import_limit_kw=None,
        limits_by_time=None,
    )
    return {"der": der, "moment": timezone.now(), "facts": [("Technology", "Photovoltaic"), ("Nameplate AC (kW)", "8")]}


EXAMPLES = {Kind.DECISION: _decision, Kind.CERTIFICATE: _certificate}
