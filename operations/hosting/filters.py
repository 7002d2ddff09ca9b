"""Filters of maps and their nodes."""

import django_filters

from moc.portal.filters import IdFilter, PartyFilter, ScopedFilterSet
from operations.hosting.models import HostingMap, HostingNode


class MapFilterSet(ScopedFilterSet):
    """Maps by status, feeder and utility."""

    party_filters = {"edc": "edc"}

    status = django_filters.ChoiceFilter(choices=HostingMap.Status.choices, label="Status")
    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", max_length=40)
    edc = PartyFilter(field_name="edc_id", label="Utility")


class NodeFilterSet(ScopedFilterSet):
    """Nodes by map, bus and what binds."""

    map = IdFilter(field_name="map__uuid", label="Map")
    bus = django_filters.CharFilter(lookup_expr="istartswith", label="Bus begins with", max_length=120)
    export_binds = django_filters.ChoiceFilter(choices=HostingNode.Binds.choices, label="What binds export")
    import_binds = django_filters.ChoiceFilter(choices=HostingNode.Binds.choices, label="What binds import")
