"""Pages of qualification: verdicts, the checklist of a DER or an aggregation, overrides, and the RTO's queue."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.portal import Create, List
from moc.portal.views import One
from registry.aggregations.models import Aggregation
from registry.ders.models import Der
from registry.prequalification import reports
from registry.prequalification.filters import QualificationFilterSet, ValidationFilterSet
from registry.prequalification.forms import DenyForm, EndForm, OverrideForm, RegisterForm
from registry.prequalification.models import MarketDecision, Qualification, QualificationOverride
from registry.prequalification.services import deciding
from registry.prequalification.tables import VALIDATION_TABLE, VERDICT_EXPORT, VERDICT_TABLE

DECIDABLE = Aggregation.Status.SUBMITTED


class Verdicts(List):
    """Every verdict within reach, newest first."""

    model = Qualification
    title = "Qualification"
    lead = "Which DER and which aggregation may sell which service: by the rules of its market, or by an override with its reason."
    noun = "verdicts"
    table = VERDICT_TABLE
    filterset_class = QualificationFilterSet
    exports = (("CSV", "registry:qualification_csv"),)
    export_columns = VERDICT_EXPORT
    export_name = "qualification"

    def actions(self) -> list[tuple[str, str, bool]]:
        return [
            ("Aggregations", reverse("registry:validation_list"), False),
            ("Rule changes", reverse("registry:rule_changes"), False),
        ]


class Validations(List):
    """The RTO's queue: aggregations that wait for it."""

    model = Aggregation
    title = "Aggregations to validate"
    lead = "Every member has passed its utility's review. Validate an aggregation that qualifies, or deny it by a rule that it breaks."
    noun = "aggregations"
    table = VALIDATION_TABLE
    filterset_class = ValidationFilterSet
    parents = (("Qualification", "registry:qualification_list"),)

    def rows(self):
        rows = super().rows().wholesale()
        return rows if self.request.GET.get("status") else rows.filter(status=DECIDABLE)


class Checklist(One):
    """Everything that stands between a subject and its markets, on one page."""

    template_name = "registry/prequalification/checklist.html"
    parents = (("Qualification", "registry:qualification_list"),)

    def get_context_data(self, **kwargs) -> dict:
        services = reports.checklist(self.object)
        shown = {"object": self.object, "services": services, "ready": bool(services) and all(each.verdict.eligible for each in services)}
        return super().get_context_data(**shown | kwargs)


class DerChecklist(Checklist):
    """One DER against the rules of its market."""

    model = Der
    lead = "Ready for market: each service with every rule that was asked."

    def get_queryset(self):
        return super().get_queryset().select_related("edc", "aggregator")

    @cached_property
    def may_override(self) -> bool:
        return deciding.authority_over(self.request.user, self.object) is not None

    def actions(self) -> list[tuple[str, str, bool]]:
        record = ("The record", reverse("registry:der_detail", args=[self.object.uuid]), False)
        override = ("Override", reverse("registry:qualification_override", args=[self.object.uuid]), False)
        return [record, override] if self.may_override else [record]

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"may_override": self.may_override} | kwargs)


class AggregationChecklist(Checklist):
    """One aggregation against the rules of its market, and what the RTO decided."""

    model = Aggregation
    lead = "Ready for market: each service that the aggregation seeks, with every rule that was asked."

    def get_queryset(self):
        return super().get_queryset().select_related("tso", "aggregator")

    @cached_property
    def may_decide(self) -> bool:
        waits = self.object.status == DECIDABLE and self.object.tso is not None
        return waits and policy.allows(self.request.user, deciding.VALIDATE, self.object.tso)

    def actions(self) -> list[tuple[str, str, bool]]:
        moves = (("Validate", "aggregation_register", True), ("Deny", "aggregation_deny", False))
        return [(label, reverse(f"registry:{name}", args=[self.object.uuid]), first) for label, name, first in moves if self.may_decide]

    def get_context_data(self, **kwargs) -> dict:
        offers = {offer.service_id: offer for offer in self.object.offers.visible_to(self.request.user)}
        decisions = MarketDecision.objects.visible_to(self.request.user).filter(aggregation=self.object)
        shown = {
            "status": self.object.status,
            "status_label": self.object.get_status_display(),
            "offers": list(offers.values()),
            "decisions": [(each, deciding.DENIALS.get(each.rule)) for each in decisions],
        }
        return super().get_context_data(**shown | kwargs)


class OfAggregation(Create):
    """A form of the RTO about one aggregation that waits for it."""

    @cached_property
    def aggregation(self) -> Aggregation:
        return get_object_or_404(Aggregation.objects.visible_to(self.request.user).select_related("tso"), uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        tso = self.aggregation.tso
        return tso is not None and policy.allows(self.request.user, deciding.VALIDATE, tso)

    @property
    def lead(self) -> str:
        return f"{self.aggregation}, of {self.aggregation.aggregator}"

    def done_url(self, result) -> str:
        return reverse("registry:aggregation_checklist", args=[self.aggregation.uuid])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": self.done_url(None)} | kwargs)


class Register(OfAggregation):
    """Validate: the verdicts are computed anew, and only then it is registered."""

    title = "Validate an aggregation"
    form_class = RegisterForm
    submit_label = "Validate"
    success = "The aggregation is registered."

    def perform(self, form) -> MarketDecision:
        return deciding.register(actor=self.request.user, aggregation=self.aggregation, **form.cleaned_data)


class Deny(OfAggregation):
    """Deny by a rule that it breaks."""

    title = "Deny an aggregation"
    form_class = DenyForm
    submit_label = "Deny"
    success = "The aggregation is denied."

    def get_form_kwargs(self) -> dict:
        broken = {code for verdict in reports.verdicts(self.aggregation).values() for code in verdict["broken"]}
        return {"broken": [(code, f"{code}: {deciding.DENIALS[code].sentence}") for code in sorted(broken)]}

    def perform(self, form) -> MarketDecision:
        return deciding.deny(actor=self.request.user, aggregation=self.aggregation, **form.cleaned_data)


class OfDer(Create):
    """A form of the utility or its regulator about one DER."""

    permission = deciding.OVERRIDE

    @cached_property
    def der(self) -> Der:
        return get_object_or_404(Der.objects.visible_to(self.request.user).select_related("edc"), uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        return deciding.authority_over(self.request.user, self.der) is not None

    @property
    def lead(self) -> str:
        return str(self.der)

    def done_url(self, result) -> str:
        return reverse("registry:der_checklist", args=[self.der.uuid])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": self.done_url(None)} | kwargs)


class Override(OfDer):
    """Qualify or bar a DER against the rules, with a reason."""

    title = "Override a verdict"
    form_class = OverrideForm
    submit_label = "Override"
    success = "The override holds."

    def perform(self, form) -> QualificationOverride:
        return deciding.override(actor=self.request.user, der=self.der, **form.cleaned_data)


class EndOverride(OfDer):
    """Let the rules decide again."""

    title = "End an override"
    form_class = EndForm
    submit_label = "End it"
    success = "The rules decide again."

    def perform(self, form) -> None:
        rows = QualificationOverride.objects.filter(der=self.der, service_id=self.kwargs["service"], ended_at=None)
        standing = rows.select_related("der", "service").first()
        if standing is None:
            raise Http404
        deciding.end_override(actor=self.request.user, override=standing)
