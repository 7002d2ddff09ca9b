"""Events, webhooks and deliveries, to be read; they are set up and sent again on the pages of webhooks."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from moc.webhooks.models import Delivery, Event, Webhook


@admin.register(Event)
class EventAdmin(RecordAdmin):
    list_display = ("subject", "kind", "organization", "created_at")
    list_filter = (("organization", ScopedFilter),)
    list_select_related = ("organization",)


@admin.register(Webhook)
class WebhookAdmin(RecordAdmin):
    hidden = ("secret",)
    list_display = ("name", "organization", "address", "status", "created_at")
    list_filter = ("status", ("organization", ScopedFilter))
    list_select_related = ("organization",)


@admin.register(Delivery)
class DeliveryAdmin(RecordAdmin):
    list_display = ("event", "webhook", "status", "attempts", "answer", "tried_at", "due_at")
    list_filter = ("status",)
    list_select_related = ("event", "webhook")
