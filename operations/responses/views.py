"""Pages of responses: the list, what can be answered to one outage, and one answer with the utility's word."""

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from moc.access import policy
from moc.portal import Detail, List, Sort, Transition, Update
from operations.outages.models import DerOutage
from operations.responses import reports, services
from operations.responses.filters import ResponseFilterSet
from operations.responses.forms import ChoiceForm
from operations.responses.models import OutageResponse
from operations.responses.tables import RESPONSE_TABLE

OUTAGES = (("Outages", "operations:outages"),)
RESPONSES = (*OUTAGES, ("Responses", "operations:outage_responses"))


class Responses(List):
    """The answers within reach, newest first."""

    model = OutageResponse
    title = "Responses to outages"
    lead = "What aggregators answered to outages of their DERs, with what was lost and what the answer gives back."
    noun = "responses"
    table = RESPONSE_TABLE
    filterset_class = ResponseFilterSet
    sorts = (Sort("-id", ("-id",)), Sort("id", ("id",)))
    parents = OUTAGES


class Answer(Update):
    """What an outage takes from each aggregation of its DER, the answers with their effects, and the choice of one."""

    model = DerOutage
    title = "Answer an outage"
    lead = "Effects are computed from the members' readiness and envelopes at this moment. Up: the most injection; down: the most draw."
    permission = services.PERMISSION
    parents = OUTAGES
    form_class = ChoiceForm
    submit_label = "Choose this answer"
    template_name = "operations/responses/answer.html"
    versioned = False

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.object.aggregator)

    @cached_property
    def aggregations(self):
        return reports.aggregations_of(self.object)

    def get_form_kwargs(self) -> dict:
        return {"aggregations": self.aggregations}

    def perform(self, form) -> OutageResponse:
        return services.choose(actor=self.request.user, outage=self.object, **form.cleaned_data)

    def done_url(self, result: OutageResponse) -> str:
        return reverse("operations:outage_response", args=[result.uuid])

    def get_context_data(self, **kwargs) -> dict:
        offered = [(aggregation, reports.offers(self.object, aggregation)) for aggregation in self.aggregations]
        return super().get_context_data(
            **{"offered": offered, "cancel_url": reverse("operations:outage", args=[self.object.uuid])} | kwargs
        )


class ResponseDetail(Detail):
    """One answer: what was lost, what it gives back and through whom."""

    model = OutageResponse
    template_name = "operations/responses/response.html"
    parents = RESPONSES
    related = ("outage__der", "aggregation", "aggregator", "edc", "tso")
    transition_url = "operations:outage_response_transition"

    def facts(self) -> list:
        one = self.object
        outage = format_html('<a href="{}">{}</a>', reverse("operations:outage", args=[one.outage.uuid]), one.outage)
        rows = [
            ("Outage", outage, None, ""),
            ("Aggregation", one.aggregation, None, ""),
            ("Lost up", one.lost_up_kw, "kW", "of the most that the aggregation can inject"),
            ("Lost down", one.lost_down_kw, "kW", "of the most that it can draw"),
            ("Regained up", one.regained_up_kw, "kW", ""),
            ("Regained down", one.regained_down_kw, "kW", ""),
            ("It can then inject", f"{one.least_kw:,.1f} to {one.most_kw:,.1f}", "kW", "negative: draws"),
            ("Reason", one.reason, None, ""),
            ("Chosen", one.chosen_at, None, ""),
            ("Aggregator", one.aggregator, None, ""),
            ("Utility", one.edc, None, ""),
            ("RTO", one.tso, None, ""),
        ]
        return [(one.get_kind_display(), rows)]

    def transitions(self) -> list[dict]:
        return super().transitions() if policy.allows(self.request.user, services.GRANTS, self.object.edc) else []

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"parts": reports.named(self.object, self.request.user)} | kwargs)


class ResponseTransition(Transition):
    """The utility grants room, or refuses it."""

    model = OutageResponse
    detail_url = "operations:outage_response"

    def move(self, actor, obj: OutageResponse, name: str, reason: str) -> None:
        services.move(actor=actor, response=obj, name=name, reason=reason)
