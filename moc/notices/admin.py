"""Notices and the outbox of their e-mail, to be read."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.notices.models import Notice, Preference


@admin.register(Notice)
class NoticeAdmin(RecordAdmin):
    list_display = ("subject", "user", "event", "created_at", "read_at", "emailed_at", "email_attempts")
    list_filter = (("emailed_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)


@admin.register(Preference)
class PreferenceAdmin(RecordAdmin):
    list_display = ("user", "event", "in_app", "by_email")
    list_select_related = ("user",)
