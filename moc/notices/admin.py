"""Notices and the outbox of their e-mail, to be read."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.notices.models import Notice


@admin.register(Notice)
class NoticeAdmin(RecordAdmin):
    list_display = ("subject", "user", "event", "created_at", "read_at", "emailed_at", "email_attempts")
    list_filter = (("emailed_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
