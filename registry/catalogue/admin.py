"""Grid services in the workplace: drafted here, and put in force by another person."""

from django.contrib import admin

from moc.admin import ReferenceAdmin
from registry.catalogue import services as catalogue
from registry.catalogue.models import GridService


@admin.register(GridService)
class GridServiceAdmin(ReferenceAdmin):
    """Drafted here, and put in force by another person; a service that is offered stays as it is."""

    write_permission = "manage_rulesets"
    list_display = ("name", "code", "level", "status")
    list_filter = ("status", "level")
    search_fields = ("=code", "name")
    moves = ("approve", "withdraw")

    def has_change_permission(self, request, obj=None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.status == GridService.Status.DRAFT)

    def save_model(self, request, obj, form, change):
        obj.drafted_by = request.user
        super().save_model(request, obj, form, change)

    def move_service(self, *, actor, rows, name, reason):
        for service in rows:
            catalogue.move(actor=actor, service=service, name=name, reason=reason)

    def get_readonly_fields(self, request, obj=None):
        """The code names the service in aggregations and in history: it stays."""
        return [*super().get_readonly_fields(request, obj), *(("code",) if obj else ())]
