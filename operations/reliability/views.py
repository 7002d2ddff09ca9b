"""Pages of reliability findings."""

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html

from moc.access import policy
from moc.portal import Detail, List, Sort, Transition
from operations.reliability.filters import FindingFilterSet
from operations.reliability.models import ReliabilityFinding
from operations.reliability.services import findings
from operations.reliability.tables import EXPORT, FINDING_TABLE

FINDINGS = (("Reliability", "operations:reliability_findings"),)


class Findings(List):
    """The findings within reach, newest first."""

    model = ReliabilityFinding
    title = "Reliability"
    lead = (
        "DERs against their envelopes, their telemetry and IEEE 1547: found every hour, answered by the aggregator, closed by the utility."
    )
    noun = "findings"
    table = FINDING_TABLE
    filterset_class = FindingFilterSet
    sorts = (Sort("-id", ("-id",)), Sort("id", ("id",)))
    exports = (("CSV", "operations:reliability_csv"),)
    export_columns = EXPORT
    export_name = "reliability-findings"


class FindingDetail(Detail):
    """One finding with its evidence, and who has it."""

    model = ReliabilityFinding
    template_name = "operations/reliability/finding.html"
    parents = FINDINGS
    related = ("der", "aggregator", "edc")
    transition_url = "operations:reliability_transition"
    keeps_versions = True

    def facts(self) -> list:
        one = self.object
        der = format_html('<a href="{}">{}</a>', reverse("registry:der_detail", args=[one.der.uuid]), one.der)
        category = one.der.get_abnormal_category_display() or "not registered"
        rows = [
            ("DER", der, None, ""),
            ("Abnormal performance category", category, None, "IEEE 1547-2018"),
            ("Cases", one.count, None, ""),
            ("First", one.first_at, None, ""),
            ("Last", one.last_at, None, ""),
            ("Aggregator", one.aggregator, None, ""),
            ("Utility", one.edc, None, ""),
        ]
        return [(one.get_rule_display(), rows)]

    def transitions(self) -> list[dict]:
        mine = {True: self.object.aggregator, False: self.object.edc}
        offered = super().transitions()
        moves = ReliabilityFinding.lifecycle.transitions
        return [
            each for each in offered if policy.allows(self.request.user, moves[each["name"]].permission, mine[each["name"] == "answer"])
        ]

    def get_context_data(self, **kwargs) -> dict:
        cases = [(parse_datetime(at), *rest) for at, *rest in reversed(self.object.evidence)]
        return super().get_context_data(**{"cases": cases} | kwargs)


class FindingTransition(Transition):
    """Answer, ask again, close."""

    model = ReliabilityFinding
    detail_url = "operations:reliability_finding"

    def move(self, actor, obj: ReliabilityFinding, name: str, reason: str) -> None:
        findings.move(actor=actor, finding=obj, name=name, reason=reason)
