"""API: webhooks of organisations that one administers, their deliveries, replay. A secret is in the answer that makes it, nowhere else."""

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.access import policy
from moc.access.models import Organization
from moc.rest.conditions import idempotent
from moc.rest.resources import Moves
from moc.rest.serializers import Flat, Reason, moves, slug_of
from moc.webhooks import services
from moc.webhooks.models import PERMISSION, Delivery, Webhook
from moc.webhooks.views import DeliveryFilterSet


class WebhookSerializer(Flat):
    """Where an organisation's events are sent."""

    id = serializers.UUIDField(source="uuid")
    organization = slug_of("organization")
    events = serializers.ListField(child=serializers.SlugField(), help_text="kinds of events; empty: all")

    class Meta:
        model = Webhook
        fields = ["id", "organization", "name", "address", "events", "status", "created_at"]


class DeliverySerializer(Flat):
    """One event for one webhook."""

    id = serializers.UUIDField(source="uuid")
    message = serializers.UUIDField(source="event.uuid", help_text="the header webhook-id")
    kind = serializers.CharField(source="event.kind")
    subject = serializers.CharField(source="event.subject")

    class Meta:
        model = Delivery
        fields = ["id", "message", "kind", "subject", "status", "attempts", "due_at", "tried_at", "answer", "created_at"]


class ChangedWebhook(serializers.Serializer):
    """Name, address, and the kinds of events; none: all of them."""

    name = serializers.CharField(max_length=80)
    address = serializers.URLField(max_length=500)
    events = serializers.ListField(child=serializers.SlugField(), default=list)


class NewWebhook(ChangedWebhook):
    """A webhook of an organisation."""

    organization = serializers.SlugField(help_text="the organisation's slug")


class WebhookMade(serializers.Serializer):
    """The webhook's id, and its secret, this once."""

    id = serializers.UUIDField()
    secret = serializers.CharField()


class Since(serializers.Serializer):
    """From when on."""

    since = serializers.DateTimeField()


class Counted(serializers.Serializer):
    """How many."""

    count = serializers.IntegerField()


class Webhooks(Moves):
    """Webhooks, newest first."""

    model = Webhook
    permission = PERMISSION
    serializer_class = WebhookSerializer
    moves = dict.fromkeys(moves(Webhook.lifecycle), Reason)

    def perform(self, actor, obj, name: str, **said) -> None:
        services.move(actor=actor, webhook=obj, name=name, **said)

    @extend_schema(request=NewWebhook, responses={201: WebhookMade}, summary="Make a webhook; its secret is shown this once")
    def create(self, request, **kwargs) -> Response:
        body = NewWebhook(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        rows = Organization.objects.visible_to(request.user, PERMISSION)
        organization = get_object_or_404(rows, slug=said.pop("organization"))
        webhook, secret = services.configure(actor=request.user, organization=organization, **said)
        return Response({"id": webhook.uuid, "secret": secret}, status=201)

    @extend_schema(request=ChangedWebhook, responses=WebhookSerializer, summary="Change name, address and events")
    def update(self, request, **kwargs) -> Response:
        webhook = self.get_object()
        body = ChangedWebhook(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            services.change(actor=request.user, webhook=self.require_match(webhook), **body.validated_data)
        return self.answer(webhook)

    @extend_schema(request=None, responses={201: WebhookMade}, summary="Make another secret; it is shown this once")
    @action(detail=True, methods=["post"])
    def secret(self, request, **kwargs) -> Response:
        webhook = self.get_object()
        return Response({"id": webhook.uuid, "secret": services.renew_secret(actor=request.user, webhook=webhook)}, status=201)

    @extend_schema(request=None, responses={202: Counted}, summary="Send a test event")
    @action(detail=True, methods=["post"])
    @idempotent
    def test(self, request, **kwargs) -> Response:
        services.try_out(actor=request.user, webhook=self.get_object())
        return Response({"count": 1}, status=202)

    @extend_schema(request=Since, responses={202: Counted}, summary="Send every event since a moment again, in its order")
    @action(detail=True, methods=["post"])
    @idempotent
    def replay(self, request, **kwargs) -> Response:
        webhook = self.get_object()
        body = Since(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"count": services.replay(actor=request.user, webhook=webhook, **body.validated_data)}, status=202)

    @extend_schema(responses=DeliverySerializer(many=True), summary="The webhook's deliveries")
    @action(detail=True, serializer_class=DeliverySerializer, model=Delivery, filterset_class=DeliveryFilterSet)
    def deliveries(self, request, **kwargs) -> Response:
        rows = Delivery.objects.filter(webhook=self.get_object())
        return self.paginator.page(self.filter_queryset(rows), self, branches=policy.branches(Delivery, request.user, PERMISSION))

    @extend_schema(request=None, responses={202: Counted}, summary="Send a delivery again")
    @action(detail=True, methods=["post"], url_path="deliveries/<uuid:delivery>/send", url_name="send")
    @idempotent
    def send(self, request, delivery, **kwargs) -> Response:
        found = get_object_or_404(Delivery.objects.select_related("webhook"), webhook=self.get_object(), uuid=delivery)
        services.send_again(actor=request.user, delivery=found)
        return Response({"count": 1}, status=202)
