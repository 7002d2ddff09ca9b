"""Pages that keep reference data: records added and ended by the operator, terms drafted by one person, approved by another."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.portal import Create, Detail, Transition, Update
from registry.jurisdictions import forms
from registry.jurisdictions.models import Affiliation, Jurisdiction, RetailProgram
from registry.jurisdictions.services import programs, reference
from registry.jurisdictions.views.lists import Keeping, keeps

# what is added: (its form, the list it is in)
KINDS = {
    "jurisdictions": (forms.JurisdictionForm, "registry:jurisdiction_list"),
    "sales": (forms.SalesForm, "registry:sales_list"),
    "affiliations": (forms.AffiliationForm, "registry:affiliation_list"),
}
ENDING = ("jurisdictions", "affiliations")
PROGRAMS = (("Retail programs", "registry:program_list"),)


class OfKind(Keeping):
    """A record of one of KINDS."""

    def allowed(self) -> bool:
        if self.kwargs["kind"] not in KINDS:
            raise Http404
        return super().allowed()

    @property
    def kind_form(self):
        return KINDS[self.kwargs["kind"]][0]

    def done_url(self, result) -> str:
        return reverse(KINDS[self.kwargs["kind"]][1])

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(str(self.kind_form.Meta.model._meta.verbose_name_plural).capitalize(), self.done_url(None)), (self.get_title(), "")]


class NewReference(OfKind, Create):
    """A new record."""

    success = "It is on record."

    @property
    def title(self) -> str:
        return f"Add to {self.kind_form.Meta.model._meta.verbose_name_plural}"

    @property
    def form_class(self):
        return self.kind_form

    def perform(self, form):
        return reference.add(actor=self.request.user, record=form.Meta.model(**form.facts()))


class RecordDetail(Detail):
    """A record that holds on days, with every version."""

    key = "pk"
    keeps_versions = True
    kind_name = ""

    def actions(self) -> list[tuple[str, str, bool]]:
        may = self.moment is None and keeps(self.request.user)
        return [("End it", reverse("registry:reference_end", args=[self.kind_name, self.kwargs["pk"]]), False)] if may else []

    def about(self) -> list[tuple[str, object]]:
        """What it is about, beside its days."""
        raise NotImplementedError

    def facts(self) -> list:
        told = [*self.about(), ("In force", self.object.valid_during)]
        return [("Record", [(label, value, None, None) for label, value in told])]


class JurisdictionDetail(RecordDetail):
    """Which regulator governs which utility in a county."""

    model = Jurisdiction
    kind_name = "jurisdictions"
    related = ("rerra", "edc", "county")
    parents = (("Jurisdiction", "registry:jurisdiction_list"),)

    def about(self) -> list[tuple[str, object]]:
        one = self.object
        return [("Regulator", one.rerra.name), ("Utility", one.edc.name), ("County", str(one.county))]


class AffiliationDetail(RecordDetail):
    """An aggregator that is an affiliate of a utility."""

    model = Affiliation
    kind_name = "affiliations"
    related = ("aggregator", "edc")
    parents = (("Affiliations", "registry:affiliation_list"),)

    def about(self) -> list[tuple[str, object]]:
        one = self.object
        return [("Aggregator", one.aggregator.name), ("Utility", one.edc.name), ("Source", one.source)]


class EndReference(OfKind, Create):
    """The end of a record that holds on days; nothing is removed."""

    form_class = forms.EndForm
    submit_label = "End it"
    success = "It ends."

    def allowed(self) -> bool:
        return super().allowed() and self.kwargs["kind"] in ENDING and self.record is not None

    @cached_property
    def record(self):
        return get_object_or_404(self.kind_form.Meta.model, pk=self.kwargs["pk"])

    @property
    def title(self) -> str:
        return f"End: {self.record}"

    def perform(self, form) -> None:
        reference.end(actor=self.request.user, record=self.record, on=form.cleaned_data["on"])


def at(name: str, program: RetailProgram) -> str:
    return reverse(f"registry:program_{name}", args=[program.pk])


class NewProgram(Create):
    """Terms of a retail program to be."""

    title = "Draft terms of a retail program"
    lead = "Another person puts them in force; terms before them end on their first day."
    permission = programs.PERMISSION
    form_class = forms.ProgramForm
    parents = PROGRAMS

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> RetailProgram:
        return programs.draft(actor=self.request.user, **form.facts())

    def done_url(self, result: RetailProgram) -> str:
        return at("detail", result)


class ProgramDetail(Detail):
    """Terms of a retail program, their approval, and every version."""

    model = RetailProgram
    key = "pk"
    keeps_versions = True
    related = ("edc", "drafted_by", "approved_by")
    parents = PROGRAMS
    transition_url = "registry:program_transition"

    def actions(self) -> list[tuple[str, str, bool]]:
        one = self.object
        may = (
            self.moment is None and one.status == RetailProgram.Status.DRAFT and policy.allows(self.request.user, programs.PERMISSION, one)
        )
        return [("Change", at("change", one), False)] if may else []

    def facts(self) -> list:
        one = self.object
        told = [
            ("Utility", one.edc.name),
            ("Code", one.code),
            ("Kind", one.get_kind_display()),
            ("Pays for", one.pays_for),
            ("Bars wholesale participation", one.bars_wholesale),
            ("Tariff sheet", one.tariff),
            ("In force", one.valid_during),
        ]
        return [("Terms", [(label, value, None, None) for label, value in told])]


class ChangeProgram(Update):
    """Other terms of a draft."""

    model = RetailProgram
    key = "pk"
    title = "Change the draft"
    permission = programs.PERMISSION
    form_class = forms.ProgramChangeForm
    parents = PROGRAMS

    def get_form_kwargs(self) -> dict:
        bounds = self.object.valid_during
        shown = {"valid_from": bounds.lower, "valid_until": bounds.upper}
        return {"user": self.request.user, "instance": self.object, "initial": shown}

    def perform(self, form) -> RetailProgram:
        return programs.change(actor=self.request.user, program=self.object, **form.facts())

    def done_url(self, result: RetailProgram) -> str:
        return at("detail", self.object)


class ProgramTransition(Transition):
    """Terms are put in force, or a draft is withdrawn."""

    model = RetailProgram
    key = "pk"
    detail_url = "registry:program_detail"

    def move(self, actor, obj: RetailProgram, name: str, reason: str) -> None:
        programs.move(actor=actor, program=obj, name=name, reason=reason)
