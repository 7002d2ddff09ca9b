"""Published figures and publications, to be read."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.public.models import Publication, PublishedCell


@admin.register(PublishedCell)
class PublishedCellAdmin(RecordAdmin):
    list_display = ("cube", "row", "column", "customers", "nameplate_ac_kw", "read_at")
    list_filter = ("cube",)


@admin.register(Publication)
class PublicationAdmin(RecordAdmin):
    list_display = ("read_at", "renewed", "kept", "hidden", "least", "percent")
