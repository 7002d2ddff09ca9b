"""The access log in the workplace: read, filtered and exported there."""

from django.contrib import admin

from moc.accesslog.models import AccessEntry
from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter


@admin.register(AccessEntry)
class AccessEntryAdmin(RecordAdmin):
    list_display = ("at", "actor", "holder", "filed_by", "record", "purpose", "note")
    list_filter = ("purpose", ("holder", ScopedFilter), ("filed_by", ScopedFilter))
    list_select_related = ("actor", "holder", "filed_by")
    search_fields = ("=subject",)
    search_help_text = "The person's key"
