"""Filters of verdicts, for the portal and the API."""

import django_filters
from django.db.models import Exists, F, OuterRef, Q

from moc.access.models import Organization
from moc.portal.filters import PartyFilter, ScopedFilterSet
from registry.aggregations.models import Aggregation
from registry.catalogue.models import GridService
from registry.prequalification.models import BrokenRule, Qualification
from registry.prequalification.rules import DERS, OFFERS

SUBJECTS = (("der", "DERs"), ("aggregation", "Aggregations"))
RULES = [(test.rule.code, f"{test.rule.code}: {test.rule.sentence}") for test in (*DERS, *OFFERS)]


def services() -> list[tuple[str, str]]:
    return list(GridService.objects.in_force().values_list("code", "name"))


def markets() -> list[tuple[str, str]]:
    return list(Organization.objects.filter(kind="tso").order_by("name").values_list("slug", "name"))


class QualificationFilterSet(ScopedFilterSet):
    """Verdicts by subject, service, market, outcome, parties and broken rule."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}
    choice_filters = {"service": services, "market": markets}

    subject = django_filters.ChoiceFilter(choices=SUBJECTS, method="by_subject", label="About")
    service = django_filters.ChoiceFilter(field_name="service_id", choices=[], label="Service")
    market = django_filters.ChoiceFilter(field_name="market__slug", choices=[], label="Market")
    eligible = django_filters.BooleanFilter(label="Qualifies")
    overridden = django_filters.BooleanFilter(method="by_override", label="Against the rules")
    breaks = django_filters.ChoiceFilter(choices=RULES, method="by_rule", label="Breaks")
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")

    def by_subject(self, rows, name: str, value: str):
        return rows.filter(**{f"{value}__isnull": False})

    def by_override(self, rows, name: str, value: bool):
        differs = ~Q(eligible=F("by_rules"))
        return rows.filter(differs if value else ~differs)

    def by_rule(self, rows, name: str, value: str):
        broken = BrokenRule.objects.filter(code=value)
        of_der = broken.filter(der=OuterRef("der")).filter(_bars())
        return rows.filter(Exists(of_der) | Exists(broken.filter(aggregation=OuterRef("aggregation")).filter(_bars())))


def _bars() -> Q:
    """Broken rules that bar the verdict's service."""
    return Q(services=None) | Q(services__contains=[OuterRef("service_id")])


class ValidationFilterSet(ScopedFilterSet):
    """Aggregations by status; without one those that wait for the RTO."""

    shown = (
        ("all", "All"),
        ("failing", "Registered, qualify no more"),
        ("mine", "Wait for the aggregator"),
        *((value, label) for value, label in Aggregation.Status.choices if value != "draft"),
    )
    status = django_filters.ChoiceFilter(choices=shown, method="by_status", label="Status", empty_label="Being validated")

    def by_status(self, rows, name: str, value: str):
        if value == "failing":
            return rows.filter(status="registered", id__in=Qualification.objects.filter(eligible=False).values("aggregation"))
        if value == "mine":
            return rows.filter(status__in=["asked", "returned"])
        return rows if value == "all" else rows.filter(status=value)
