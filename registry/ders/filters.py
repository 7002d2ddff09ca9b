"""Filters of the DER list, for the portal and the API."""

from uuid import UUID

import django_filters
from django.db.models import Q
from django_filters.widgets import DateRangeWidget

from moc import sight
from moc.access import tenure
from moc.access.models import Organization
from moc.portal.filters import PartyFilter, QuantityRangeFilter, ScopedFilterSet
from registry.ders.choices import CustomerSector, DerType, technologies
from registry.ders.models import Der
from registry.grid.models import County, Feeder

FOUND_AT_MOST = 500  # beyond this a search is no look-up but a filter
SHORTEST_ADDRESS = 3  # a trigram


def counties() -> list[tuple[str, str]]:
    return list(County.objects.order_by("name").values_list("fips", "name"))


class DerFilterSet(ScopedFilterSet):
    """`q` looks for ids, serial numbers, addresses, organisations and feeders; the others narrow by one fact each."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}
    choice_filters = {"county": counties, "der_type": technologies}

    q = django_filters.CharFilter(method="search", label="Search", help_text="id, serial number, address, organization or feeder")
    der_type = django_filters.ChoiceFilter(choices=DerType.choices, label="Technology")
    status = django_filters.ChoiceFilter(choices=Der.Status.choices, label="Status")
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")
    county = django_filters.ChoiceFilter(field_name="county_id", choices=[], label="County")
    customer_sector = django_filters.ChoiceFilter(choices=CustomerSector.choices, label="Sector")
    nameplate_ac_kw = QuantityRangeFilter(label="Nameplate AC (kW)")
    commissioned_on = django_filters.DateFromToRangeFilter(label="Commissioned", widget=DateRangeWidget(attrs={"type": "date"}))
    feeder = django_filters.CharFilter(method="on_feeder", label="Feeder", help_text="the utility's code")
    program = django_filters.CharFilter(method="in_program", label="Retail program")

    def on_feeder(self, rows, name: str, value: str):
        return rows.filter(feeder_id__in=feeders(value))

    def in_program(self, rows, name: str, value: str):
        return rows.filter(retail_programs__contains=[value.strip()])

    def search(self, rows, name: str, value: str):
        """What the text names, by index: look-ups first; a text that names very many is a condition on each row instead.

        Former records are looked through: what they were called then, no index knows.
        """
        text = value.strip()
        if not text:
            return rows
        if tenure.is_former(rows):
            return rows.filter(called(text))
        parties = list(Organization.objects.filter(name__icontains=text).values_list("pk", flat=True))
        on_feeders = feeders(text)
        found = matching_ids(text)
        named = Q(edc_id__in=parties) | Q(aggregator_id__in=parties) | Q(feeder_id__in=on_feeders)
        if len(found) > FOUND_AT_MOST:
            return rows.filter(Q(premise_address__icontains=text) | named)
        own = Q(id__in=found) & called(text)
        return rows.filter(own | named) if parties or on_feeders else rows.filter(own)


class DerFilter(django_filters.CharFilter):
    """Records of one DER, by its id here or by its aggregator's own id, which several aggregators may have given."""

    def __init__(self, field_name: str = "der", **kwargs):
        super().__init__(field_name=field_name, label="DER", help_text="the aggregator's id of it, or its id here", max_length=64, **kwargs)

    def filter(self, qs, value: str):
        """The records; a UUID is looked up by the key, an aggregator's id by the index of these."""
        if not value:
            return qs
        if (uuid := _uuid(value)) is not None:
            return qs.filter(**{f"{self.field_name}__uuid": uuid})
        return qs.filter(**{f"{self.field_name}__in": ids_called(value)})


def feeders(code: str) -> list[int]:
    """Feeders by their code, of any utility (a code names nothing that a user may not see: DERs are scoped)."""
    return list(Feeder.objects.filter(code__iexact=code.strip()).values_list("pk", flat=True))


def called(text: str) -> Q:
    """What a text names by a row's own columns: a version is not found by what its record is called now, nor a record by what it was."""
    if (uuid := _uuid(text)) is not None:
        return Q(uuid=uuid)
    return Q(serial_no__iexact=text) | Q(external_id=text) | Q(premise_address__icontains=text)


def own_id(text: str) -> Q:
    """DERs that an aggregator, whichever, calls so: by the index of (aggregator, id)."""
    return Q(aggregator_id__in=list(Organization.objects.filter(kind="aggregator").values_list("pk", flat=True)), external_id=text)


@sight.engine()  # the index would not be used under row-level security; the ids only narrow rows that the user sees
def ids_called(text: str) -> list[int]:
    """Ids of the DERs, whoever's, that their aggregators call so."""
    return list(Der.objects.filter(own_id(text)).order_by().values_list("pk", flat=True))


@sight.engine()  # text operators may not use an index under row-level security; the ids only narrow rows that the user sees
def matching_ids(text: str) -> list[int]:
    """Ids of at most FOUND_AT_MOST + 1 DERs, whoever's, that a text names: each kind of name by its own index."""
    kinds = [Q(serial_no__iexact=text) & ~Q(serial_no=""), own_id(text)]
    if len(text) >= SHORTEST_ADDRESS:
        kinds.append(Q(premise_address__icontains=text))
    if (uuid := _uuid(text)) is not None:
        kinds = [Q(uuid=uuid)]
    limited = [Der.objects.filter(kind).order_by().values_list("pk")[: FOUND_AT_MOST + 1] for kind in kinds]
    rows = limited[0].union(*limited[1:]) if len(limited) > 1 else limited[0]
    return [row[0] for row in rows]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
