"""Filters of the lists that name only what the user may know of."""

from django.contrib.admin.filters import RelatedFieldListFilter

from moc.access import policy
from moc.access.models import Organization
from moc.portal.filters import parties

MOST_CHOICES = 200


class ScopedFilter(RelatedFieldListFilter):
    """A filter by a related record, offering the first of those within the user's scope; by a party as the portal's filters do."""

    def field_choices(self, field, request, model_admin) -> list[tuple]:
        related = field.remote_field.model
        if related is Organization:
            kinds = {field.name} & set(Organization.Kind.values) or set(Organization.Kind.values)
            known = parties(request.user, kinds)
            return sorted((party for own in known.values() for party in own), key=lambda party: party[1])[:MOST_CHOICES]
        rows = policy.scope(related._default_manager.all(), request.user, model_admin.view_permission)
        return [(row.pk, str(row)) for row in rows.order_by(*related._meta.ordering)[:MOST_CHOICES]]
