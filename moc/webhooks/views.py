"""Pages of webhooks, for those who administer an organisation's members: where events are sent, what came of each, and sending again."""

import django_filters
from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.functional import cached_property
from django.views.generic import View

from moc.access import policy
from moc.access.models import Organization
from moc.errors import UserError
from moc.portal import Column, Create, Detail, List, ScopedFilterSet, Table, Transition, Update
from moc.webhooks import services
from moc.webhooks.forms import NewWebhookForm, ReplayForm, WebhookForm
from moc.webhooks.models import PERMISSION, Delivery, Webhook

TITLE = "Webhooks"
ABOVE = (TITLE, "webhook_list")


def show_secret(request, webhook: Webhook, secret: str) -> HttpResponse:
    """The one page that shows a secret."""
    response = render(request, "webhooks/secret.html", {"title": f"Secret of {webhook}", "webhook": webhook, "secret": secret})
    add_never_cache_headers(response)
    return response


class ForAdministrators:
    """Pages that nobody finds who administers no organisation."""

    permission = view_permission = PERMISSION

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        if request.user.is_authenticated and not policy.allows(request.user, PERMISSION):
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class WebhookList(ForAdministrators, List):
    """The webhooks of the organisations that the user administers."""

    model = Webhook
    title, noun = TITLE, "webhooks"
    lead = "Events of your organisation, sent to your own systems as they happen, signed in the Standard Webhooks format."
    table = Table(
        caption=TITLE,
        url=lambda row: reverse("webhook_detail", args=[row["uuid"]]),
        needs=("uuid",),
        empty_title="No webhooks",
        columns=(
            Column("name", "Name"),
            Column("organization__name", "Organisation"),
            Column("address", "Address"),
            Column("status", "Status", kind="status", choices=Webhook.Status),
            Column("created_at", "Made"),
        ),
    )

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Make a webhook", reverse("webhook_new"), True)]


class NewWebhook(Create):
    """A new webhook; the answer shows its secret, this once."""

    title, submit_label = "Make a webhook", "Make the webhook"
    permission, form_class, parents = PERMISSION, NewWebhookForm, (ABOVE,)

    def get_form_kwargs(self) -> dict:
        own = [organization.pk for organization in policy.own_organizations(self.request.user)]
        return {"organizations": Organization.objects.visible_to(self.request.user, PERMISSION).filter(pk__in=own)}

    def perform(self, form) -> Webhook:
        webhook, self.secret = services.configure(actor=self.request.user, **form.cleaned_data)
        return webhook

    def done_url(self, result: Webhook) -> str:
        self.made = result
        return reverse("webhook_detail", args=[result.uuid])

    def post(self, request, *args, **kwargs) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        return show_secret(request, self.made, self.secret) if hasattr(self, "made") else response


class WebhookDetail(Detail):
    """One webhook, and the deliveries that were tried last."""

    model = Webhook
    permission, template_name, transition_url = PERMISSION, "webhooks/detail.html", "webhook_transition"
    parents, related = (ABOVE,), ("organization", "created_by")

    def actions(self) -> list[tuple[str, str, bool]]:
        if self.object.status == Webhook.Status.ENDED:
            return []
        return [(label, reverse(name, args=[self.object.uuid]), False) for label, name in (("Change", "webhook_change"),)]

    def facts(self) -> list:
        webhook = self.object
        rows = [
            ("Organisation", webhook.organization, None, ""),
            ("Address", webhook.address, None, ""),
            ("Events", ", ".join(webhook.events) or "all", None, ""),
            ("Made by", webhook.created_by, None, ""),
            ("Made", webhook.created_at, None, ""),
        ]
        return [("The webhook", rows)]

    def get_context_data(self, **kwargs) -> dict:
        latest = Delivery.objects.filter(webhook=self.object).select_related("event").order_by("-pk")[:10]
        return super().get_context_data(**{"deliveries": latest, "replay": ReplayForm()} | kwargs)


class ChangeWebhook(Update):
    """Another name, address or choice of events."""

    model = Webhook
    title, success = "Change the webhook", "The webhook is changed."
    permission = view_permission = PERMISSION
    form_class, parents = WebhookForm, (ABOVE,)

    def get_form_kwargs(self) -> dict:
        return {"initial": {"name": self.object.name, "address": self.object.address, "events": self.object.events}}

    def perform(self, form) -> None:
        services.change(actor=self.request.user, webhook=self.object, **form.cleaned_data)

    def done_url(self, result) -> str:
        return reverse("webhook_detail", args=[self.object.uuid])


class Move(Transition):
    """POST: pause, resume or end."""

    model, detail_url, view_permission = Webhook, "webhook_detail", PERMISSION

    def move(self, actor, obj, name: str, reason: str) -> None:
        services.move(actor=actor, webhook=obj, name=name, reason=reason)


class Deed(LoginRequiredMixin, View):
    """POST: one act on a webhook or a delivery; a refusal is told on its page."""

    http_method_names = ["post"]
    model, page = Webhook, "webhook_detail"

    @cached_property
    def object(self):
        return get_object_or_404(self.model.objects.visible_to(self.request.user, PERMISSION), uuid=self.kwargs["uuid"])

    def act(self) -> str | HttpResponse:
        """Do it; returns what to tell, or an answer."""
        raise NotImplementedError

    def post(self, request, **kwargs) -> HttpResponse:
        here = HttpResponseRedirect(reverse(self.page, args=[self.object.uuid]))
        try:
            said = self.act()
        except UserError as refusal:
            messages.error(request, str(refusal))
            return here
        if isinstance(said, HttpResponse):
            return said
        messages.success(request, said)
        return here


class TryOut(Deed):
    """POST: a test event."""

    def act(self) -> str:
        services.try_out(actor=self.request.user, webhook=self.object)
        return "A test event is on its way."


class RenewSecret(Deed):
    """POST: another secret, shown this once."""

    def act(self) -> HttpResponse:
        return show_secret(self.request, self.object, services.renew_secret(actor=self.request.user, webhook=self.object))


class Replay(Deed):
    """POST: every event since a day, again."""

    def act(self) -> str:
        form = ReplayForm(self.request.POST)
        if not form.is_valid():
            raise UserError("That is no day.", "Choose the day from which on to send.", "INVALID")
        count = services.replay(actor=self.request.user, webhook=self.object, since=form.moment())
        return f"{count:,} events are on their way."


class DeliveryFilterSet(ScopedFilterSet):
    """By what came of it."""

    status = django_filters.ChoiceFilter(choices=Delivery.Status.choices, empty_label="All", label="Status", widget=forms.Select)


class DeliveryList(ForAdministrators, List):
    """Every delivery of one webhook, newest first."""

    model, filterset_class, noun, counts_filtered = Delivery, DeliveryFilterSet, "deliveries", True
    table = Table(
        caption="Deliveries",
        url=lambda row: reverse("webhook_delivery", args=[row["uuid"]]),
        needs=("uuid",),
        empty_title="No deliveries",
        columns=(
            Column("event__subject", "Event"),
            Column("event__kind", "Kind", kind="code"),
            Column("status", "Status", kind="status", choices=Delivery.Status),
            Column("answer", "Answer"),
            Column("attempts", "Attempts", numeric=True),
            Column("tried_at", "Last attempt"),
        ),
    )

    @cached_property
    def webhook(self) -> Webhook:
        return get_object_or_404(Webhook.objects.visible_to(self.request.user, PERMISSION), uuid=self.kwargs["uuid"])

    def get_title(self) -> str:
        return f"Deliveries to {self.webhook}"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        above = [(TITLE, reverse("webhook_list")), (str(self.webhook), reverse("webhook_detail", args=[self.webhook.uuid]))]
        return [*above, (self.get_title(), "")]

    def rows(self):
        return super().rows().filter(webhook=self.webhook)


class DeliveryDetail(Detail):
    """One delivery: what was sent, and what came of it."""

    model = Delivery
    permission, template_name = PERMISSION, "webhooks/delivery.html"
    related = ("event__organization", "webhook")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        webhook = self.object.webhook
        return [(TITLE, reverse("webhook_list")), (str(webhook), reverse("webhook_detail", args=[webhook.uuid])), ("Delivery", "")]

    def facts(self) -> list:
        delivery = self.object
        waiting = delivery.status == Delivery.Status.WAITING
        rows = [
            ("Event", delivery.event.kind, None, ""),
            ("webhook-id", delivery.event.uuid, None, "the same at every attempt"),
            ("To", delivery.webhook.address, None, ""),
            ("Attempts", delivery.attempts, None, ""),
            ("Last attempt", delivery.tried_at, None, ""),
            ("Answer", delivery.answer, None, ""),
            ("Next attempt", delivery.due_at if waiting else None, None, ""),
        ]
        return [("What came of it", rows)]

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"body": services.body_of(self.object)} | kwargs)


class SendAgain(Deed):
    """POST: once more, now."""

    model, page = Delivery, "webhook_delivery"

    def act(self) -> str:
        services.send_again(actor=self.request.user, delivery=self.object)
        return "It is on its way again."
