"""Pages of notices of intent: the list, the form, the notice with its DERs, and the two parties' answers."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from moc.access import policy
from moc.portal import Create, Detail, List, Transition, Update
from moc.portal.shell import url_of
from registry.ders.choices import Technology
from registry.intents import services
from registry.intents.forms import CorrectForm, KnownForm, NewIntentForm, filers_of
from registry.intents.models import IntentNotice
from registry.intents.tables import INTENT_TABLE, OPEN

LIST = (("Notices of intent", "registry:intent_list"),)
Status = IntentNotice.Status


class IntentList(List):
    """Your notices to utilities, or those of aggregators to your utility."""

    model = IntentNotice
    title = "Notices of intent"
    lead = "Before DERs are filed, aggregator and utility settle where they are connected and whose account it is."
    noun = "notices"
    table = INTENT_TABLE

    def actions(self) -> list[tuple[str, str, bool]]:
        may = filers_of(self.request.user).exists()
        return [("New notice", reverse("registry:intent_new"), True)] if may else []


class NewIntent(Create):
    """DERs that are going to be filed."""

    title = "New notice of intent"
    lead = "The utility compares the account with its own and names the service point. No account number is kept."
    permission = services.FILE
    parents = LIST
    form_class = NewIntentForm
    submit_label = "Send to the utility"
    success = "The utility was told."

    def allowed(self) -> bool:
        return filers_of(self.request.user).exists()

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> IntentNotice:
        return services.send(actor=self.request.user, **form.cleaned_data)

    def done_url(self, result: IntentNotice) -> str:
        return reverse("registry:intent", args=[result.uuid])


class IntentDetail(Detail):
    """One notice with its DERs."""

    model = IntentNotice
    template_name = "registry/intents/detail.html"
    transition_url = "registry:intent_transition"
    parents = LIST
    related = ("aggregator", "edc")

    def actions(self) -> list[tuple[str, str, bool]]:
        notice, user = self.object, self.request.user
        acts = (
            ("Answer", "registry:intent_answer", Status.SENT, services.ANSWER, notice.edc),
            ("State anew", "registry:intent_correct", Status.ANSWERED, services.FILE, notice.aggregator),
            ("File what is settled", "registry:intent_file", Status.SETTLED, services.FILE, notice.aggregator),
        )
        return [
            (label, url_of(name, notice.uuid), True)
            for label, name, status, permission, party in acts
            if notice.status == status and policy.allows(user, permission, party)
        ]

    def transitions(self) -> list[dict]:
        return [move for move in super().transitions() if move["name"] == "withdraw"]

    def facts(self) -> list:
        notice = self.object
        last = timezone.localdate(notice.due_at - timezone.timedelta(microseconds=1)) if notice.status in OPEN else None
        about = [
            ("Aggregator", str(notice.aggregator), None, None),
            ("Utility", str(notice.edc), None, None),
            ("Sent", notice.created_at, None, None),
            ("To be answered by", last, None, "the end of the day; a notice that is not answered bars nothing"),
            ("Settled", notice.settled_at, None, None),
        ]
        return [("Notice", [row for row in about if row[1]])]

    def get_context_data(self, **kwargs) -> dict:
        points = list(self.object.points.visible_to(self.request.user).select_related("service_point"))
        for point in points:
            point.technology = Technology(point.der_type).label
        return super().get_context_data(**{"points": points} | kwargs)


class IntentTransition(Transition):
    """Withdrawal, the only move that is a button."""

    model = IntentNotice
    detail_url = "registry:intent"

    def move(self, actor, obj: IntentNotice, name: str, reason: str) -> None:
        services.withdraw(actor=actor, notice=get_object_or_404(IntentNotice, pk=obj.pk, status__in=OPEN), reason=reason)


class AnswerIntent(Update):
    """What the utility knows of the DERs."""

    model = IntentNotice
    title = "Answer the notice"
    lead = "Your service point stands; the account is compared with what the aggregator stated, and neither is kept."
    permission = services.ANSWER
    form_class = KnownForm
    submit_label = "Answer"
    success = "The aggregator was told."

    @cached_property
    def object(self) -> IntentNotice:
        return get_object_or_404(self.get_queryset().select_related("edc", "aggregator"), uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.object.edc)

    def get_form_kwargs(self) -> dict:
        return {"notice": self.object}

    def perform(self, form) -> IntentNotice:
        return services.answer(actor=self.request.user, notice=self.object, points=form.cleaned_data["points"])

    def done_url(self, result) -> str:
        return reverse("registry:intent", args=[self.object.uuid])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": self.done_url(None)} | kwargs)


class CorrectIntent(AnswerIntent):
    """The aggregator states what differs anew."""

    title = "State anew"
    lead = "The DERs that the utility knows otherwise; settled ones stay. Give each customer's account again."
    permission = services.FILE
    form_class = CorrectForm
    submit_label = "Send to the utility"
    success = "The utility was told."

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.object.aggregator)

    def perform(self, form) -> IntentNotice:
        return services.correct(actor=self.request.user, notice=self.object, points=form.cleaned_data["points"])
