"""Pages of qualification: verdicts, the checklist of a DER or an aggregation, overrides, and the RTO's queue."""

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.documents.letters import print_letter
from moc.portal import List, Sort
from moc.portal.shell import url_of
from moc.portal.views import One
from registry.aggregations.choices import Purpose
from registry.aggregations.models import Aggregation
from registry.ders.models import Der
from registry.prequalification import reports
from registry.prequalification.filters import QualificationFilterSet, ValidationFilterSet
from registry.prequalification.models import MarketDecision, Qualification
from registry.prequalification.services import deciding, overriding
from registry.prequalification.tables import VALIDATION_TABLE, VERDICT_EXPORT, VERDICT_TABLE

NEWEST = (Sort("-id", ("-id",)), Sort("id", ("id",)))
Status = Aggregation.Status
WAITING = (Status.SUBMITTED, Status.ASKED)
ACTS = {
    Status.SUBMITTED: (
        ("Validate", "register", True),
        ("Deny", "deny", False),
        ("Ask", "ask", False),
        ("Return as incomplete", "return", False),
    ),
    Status.ASKED: (("Deny", "deny", False),),
    Status.REGISTERED: (("Suspend", "suspend", False),),
    Status.SUSPENDED: (("Reinstate", "reinstate", True),),
}  # what the RTO may do, by status: label, page, whether it is the first choice


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

    @property
    def sorts(self) -> tuple[Sort, ...]:
        """What waits has a day by which it is decided; the rest has none."""
        return NEWEST if self.request.GET.get("status") else (Sort("due_at", ("due_at", "id")), *NEWEST)

    def rows(self):
        rows = super().rows().exclude(purpose=Purpose.DISTRIBUTION)
        return rows if self.request.GET.get("status") else rows.filter(status__in=WAITING)


class Checklist(One):
    """Everything that stands between a subject and its markets, on one page."""

    template_name = "registry/prequalification/checklist.html"
    parents = (("Qualification", "registry:qualification_list"),)

    def get_context_data(self, **kwargs) -> dict:
        services = reports.checklist(self.object)
        ready = bool(services) and all(each.verdict.eligible for each in services)
        if policy.allows(self.request.user, "pursue_disputes", self.object.aggregator):
            for each in services:  # where that part of the platform is installed
                bars = each.override is not None and not each.override.eligible
                each.dispute_url = url_of("settlement:dispute_override", each.override.uuid) if bars else ""
        shown = {"object": self.object, "services": services, "ready": ready, "end_url": self.end_url if self.may_override else ""}
        return super().get_context_data(**shown | kwargs)

    @cached_property
    def may_override(self) -> bool:
        return overriding.authority_over(self.request.user, self.object) is not None

    def overrides(self) -> list[tuple[str, str, bool]]:
        return [("Override", reverse(self.override_url, args=[self.object.uuid]), False)] if self.may_override else []


class DerChecklist(Checklist):
    """One DER against the rules of its market."""

    model = Der
    lead = "Ready for market: each service with every rule that was asked."
    override_url, end_url = "registry:qualification_override", "registry:qualification_override_end"

    def get_queryset(self):
        return super().get_queryset().select_related("edc", "aggregator")

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("The record", reverse("registry:der_detail", args=[self.object.uuid]), False), *self.overrides()]


class AggregationChecklist(Checklist):
    """One aggregation against the rules of its market, and what the RTO decided."""

    model = Aggregation
    lead = "Ready for market: each service that the aggregation seeks, with every rule that was asked."
    override_url, end_url = "registry:aggregation_override", "registry:aggregation_override_end"

    def get_queryset(self):
        return super().get_queryset().select_related("tso", "aggregator")

    def actions(self) -> list[tuple[str, str, bool]]:
        record, may = self.object, policy.allows
        decides = record.tso is not None and may(self.request.user, deciding.VALIDATE, record.tso)
        acts = ACTS.get(record.status, ()) if decides else ()
        if record.status == Status.ASKED and may(self.request.user, deciding.ANSWER, record.aggregator):
            acts = (("Answer", "answer", True),)
        shown = [(label, reverse(f"registry:aggregation_{name}", args=[record.uuid]), first) for label, name, first in acts]
        if record.status == Status.REGISTERED and record.tso is not None:
            shown.append(("Certificate (PDF)", reverse("registry:qualification_certificate", args=[record.uuid]), False))
        return [*shown, ("The record", reverse("registry:aggregation_detail", args=[record.uuid]), False), *self.overrides()]

    def get_context_data(self, **kwargs) -> dict:
        offers = {offer.service_id: offer for offer in self.object.offers.visible_to(self.request.user)}
        decisions = MarketDecision.objects.visible_to(self.request.user).filter(aggregation=self.object)
        shown = {
            "status": self.object.status,
            "status_label": self.object.get_status_display(),
            "waits": self.object.status in WAITING,
            "offers": list(offers.values()),
            "decisions": [(each, deciding.DENIALS.get(each.rule)) for each in decisions],
        }
        return super().get_context_data(**shown | kwargs)


class QualificationCertificate(One):
    """The certificate of a registered aggregation as PDF, from its RTO to its aggregator."""

    model = Aggregation

    def get(self, request, *args, **kwargs) -> HttpResponse:
        one = self.object
        if one.status != Status.REGISTERED or one.tso is None:
            raise Http404
        parties = {"issuer": one.tso, "recipient": one.aggregator}
        context, name = {"aggregation": one}, f"qualification-{one.uuid}.pdf"
        return print_letter(request, "qualification", "documents/qualification.html", context, name, **parties)
