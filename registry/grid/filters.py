"""Filters of grid records and their loads, for the portal and the API."""

import django_filters

from moc.portal.filters import PartyFilter, ScopedFilterSet
from registry.grid.models import County, GridLoad


def counties() -> list[tuple[str, str]]:
    return list(County.objects.order_by("name").values_list("fips", "name"))


class CodedFilterSet(ScopedFilterSet):
    """Grid records by utility and code."""

    party_filters = {"edc": "edc"}

    code = django_filters.CharFilter(label="Code", help_text="the whole code")
    edc = PartyFilter(field_name="edc_id", label="Utility")


class FeederFilterSet(CodedFilterSet):
    """Feeders by substation too."""

    substation = django_filters.CharFilter(field_name="substation__code", label="Substation", help_text="the utility's code")


class TransformerFilterSet(CodedFilterSet):
    """Transformers by feeder too."""

    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", help_text="the utility's code")


class ServicePointFilterSet(ScopedFilterSet):
    """Service points by utility, id and place in the grid."""

    party_filters = {"edc": "edc"}
    choice_filters = {"county": counties}

    usage_point_id = django_filters.CharFilter(label="Service point id")
    edc = PartyFilter(field_name="edc_id", label="Utility")
    feeder = django_filters.CharFilter(field_name="feeder__code", label="Feeder", help_text="the utility's code")
    transformer = django_filters.CharFilter(field_name="transformer__code", label="Transformer", help_text="the utility's code")
    county = django_filters.ChoiceFilter(field_name="county_id", choices=[], label="County")
    zip_code = django_filters.CharFilter(label="ZIP code")


class LoadFilterSet(ScopedFilterSet):
    """Loads by kind, status and utility."""

    party_filters = {"edc": "edc"}

    kind = django_filters.ChoiceFilter(choices=GridLoad.Kind.choices, label="Records")
    status = django_filters.ChoiceFilter(choices=GridLoad.Status.choices, label="Status")
    edc = PartyFilter(field_name="edc_id", label="Utility")
