"""Filters of the lists that name only what the user may see."""

from django.contrib.admin.filters import RelatedFieldListFilter
from django.db.models import Exists, OuterRef, Q, QuerySet

from moc.access import policy
from moc.access.models import Organization

MOST_CHOICES = 200


class ScopedFilter(RelatedFieldListFilter):
    """A filter by a related record (an organisation, a county), offering the first of those that the user may know of."""

    def field_choices(self, field, request, model_admin) -> list[tuple]:
        related = field.remote_field.model
        if related is Organization:
            rows = self._parties(field, request.user, model_admin)
        else:
            rows = policy.scope(related._default_manager.all(), request.user, model_admin.view_permission)
        return [(row.pk, str(row)) for row in rows.order_by(*related._meta.ordering)[:MOST_CHOICES]]

    def _parties(self, field, user, model_admin) -> QuerySet:
        """Organisations within the user's scope, and those that a record within it names; of the kind that the key is named after."""
        rows = Organization.objects.filter(kind=field.name) if field.name in Organization.Kind.values else Organization.objects.all()
        if policy.everywhere(user, model_admin.view_permission):
            return rows
        named = policy.scope(model_admin.model._default_manager.order_by(), user, model_admin.view_permission)
        own = Q(pk__in=policy.reach(user, model_admin.view_permission))
        return rows.filter(own | Q(Exists(named.filter(**{field.name: OuterRef("pk")}))))
