"""Forms of qualification: the RTO's decisions, the aggregator's answer, overrides by utilities and regulators."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.portal import Create
from registry.aggregations.models import Aggregation
from registry.ders.models import Der
from registry.prequalification.forms import AnswerForm, DenyForm, EndForm, OverrideForm, RegisterForm, StatementForm
from registry.prequalification.models import MarketDecision, QualificationOverride
from registry.prequalification.services import deciding, overriding


class OfAggregation(Create):
    """A form about one aggregation."""

    @cached_property
    def aggregation(self) -> Aggregation:
        rows = Aggregation.objects.visible_to(self.request.user).select_related("tso", "aggregator")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])

    @property
    def lead(self) -> str:
        return f"{self.aggregation}, of {self.aggregation.aggregator}"

    def done_url(self, result) -> str:
        return deciding.page_of(self.aggregation)

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": self.done_url(None)} | kwargs)


class OfRto(OfAggregation):
    """A decision of the RTO."""

    def allowed(self) -> bool:
        tso = self.aggregation.tso
        return tso is not None and policy.allows(self.request.user, deciding.VALIDATE, tso)

    def perform(self, form) -> MarketDecision:
        return type(self).decide(actor=self.request.user, aggregation=self.aggregation, **form.cleaned_data)


class Register(OfRto):
    """Validate: the verdicts are computed anew, and only then it is registered."""

    title = "Validate an aggregation"
    form_class = RegisterForm
    submit_label = "Validate"
    success = "The aggregation is registered."
    decide = staticmethod(deciding.register)


class Deny(OfRto):
    """Deny by a rule that it breaks."""

    title = "Deny an aggregation"
    form_class = DenyForm
    submit_label = "Deny"
    success = "The aggregation is denied."
    decide = staticmethod(deciding.deny)

    def get_form_kwargs(self) -> dict:
        broken = deciding.grounds(deciding.reports.verdicts(self.aggregation))
        return {"broken": [(code, f"{code}: {deciding.DENIALS[code].sentence}") for code in broken]}


class Suspend(Deny):
    """Suspend a registered aggregation by a rule that it breaks by now."""

    title = "Suspend an aggregation"
    submit_label = "Suspend"
    success = "The aggregation is suspended."
    decide = staticmethod(deciding.suspend)


class Reinstate(OfRto):
    """Let a suspended aggregation take part again."""

    title = "Reinstate an aggregation"
    form_class = StatementForm
    submit_label = "Reinstate"
    success = "The aggregation takes part again."
    decide = staticmethod(deciding.reinstate)


class Ask(OfRto):
    """Ask the aggregator."""

    title = "Ask the aggregator"
    form_class = StatementForm
    submit_label = "Ask"
    success = "The aggregator is asked."
    decide = staticmethod(deciding.ask)


class Return(OfRto):
    """Return an aggregation that lacks something."""

    title = "Return as incomplete"
    form_class = StatementForm
    submit_label = "Return"
    success = "The aggregation is returned."
    decide = staticmethod(deciding.return_incomplete)


class Answer(OfAggregation):
    """The aggregator's answer to the question that waits."""

    title = "Answer the RTO"
    form_class = AnswerForm
    submit_label = "Answer"
    success = "The RTO has your answer."

    @cached_property
    def question(self) -> MarketDecision:
        rows = MarketDecision.objects.filter(aggregation=self.aggregation, kind=MarketDecision.Kind.ASK, answered_at=None)
        found = rows.select_related("aggregation__aggregator").first()
        if found is None:
            raise Http404
        return found

    @property
    def lead(self) -> str:
        return self.question.statement

    def allowed(self) -> bool:
        return policy.allows(self.request.user, deciding.ANSWER, self.aggregation.aggregator)

    def perform(self, form) -> MarketDecision:
        return deciding.answer(actor=self.request.user, decision=self.question, **form.cleaned_data)


class OfSubject(Create):
    """A form of the utility or its regulator about a DER or an aggregation."""

    permission = overriding.PERMISSION
    model: type = Der
    done = "registry:der_checklist"

    @cached_property
    def subject(self) -> Der | Aggregation:
        return get_object_or_404(self.model.objects.visible_to(self.request.user), uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        return overriding.authority_over(self.request.user, self.subject) is not None

    @property
    def lead(self) -> str:
        return str(self.subject)

    def done_url(self, result) -> str:
        return reverse(self.done, args=[self.subject.uuid])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": self.done_url(None)} | kwargs)


class OfWhole:
    """The same about an aggregation."""

    model = Aggregation
    done = "registry:aggregation_checklist"


class Override(OfSubject):
    """Qualify or bar against the rules, with a reason."""

    title = "Override a verdict"
    form_class = OverrideForm
    submit_label = "Override"
    success = "The override holds."

    def get_form_kwargs(self) -> dict:
        return {"services": getattr(self.subject, "services", None)}

    def perform(self, form) -> QualificationOverride:
        return overriding.override(actor=self.request.user, subject=self.subject, **form.cleaned_data)


class EndOverride(OfSubject):
    """Let the rules decide again."""

    title = "End an override"
    form_class = EndForm
    submit_label = "End it"
    success = "The rules decide again."

    def perform(self, form) -> None:
        rows = QualificationOverride.objects.of(self.subject).filter(service_id=self.kwargs["service"], ended_at=None)
        standing = rows.select_related("der", "aggregation", "service").first()
        if standing is None:
            raise Http404
        overriding.end_override(actor=self.request.user, override=standing)


class OverrideWhole(OfWhole, Override):
    """Qualify or bar an aggregation."""


class EndOverrideWhole(OfWhole, EndOverride):
    """Let the rules decide on an aggregation again."""
