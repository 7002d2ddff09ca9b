"""Rosters and differences in the workplace: read there."""

from django.contrib import admin

from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from registry.rosters.models import Roster, RosterEntry, RosterFinding, RosterSheet


class OfUtilityAdmin(RecordAdmin):
    """A record of one utility."""

    list_filter = (("edc", ScopedFilter),)
    list_select_related = ("edc",)


@admin.register(Roster)
class RosterAdmin(OfUtilityAdmin):
    list_display = ("program", "edc", "account_count", "received_at")


@admin.register(RosterEntry)
class RosterEntryAdmin(OfUtilityAdmin):
    hidden = ("account_index", "data_key")
    list_display = ("roster", "edc")
    list_select_related = ("roster__edc", "edc")


@admin.register(RosterSheet)
class RosterSheetAdmin(OfUtilityAdmin):
    hidden = RosterSheet.sealing
    list_display = ("roster", "edc")
    list_select_related = ("roster__edc", "edc")


@admin.register(RosterFinding)
class RosterFindingAdmin(OfUtilityAdmin):
    list_display = ("der", "program", "code", "edc", "found_at")
    list_select_related = ("der", "edc")
