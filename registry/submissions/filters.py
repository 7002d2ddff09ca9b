"""Filters of submissions, reviews and filed rows, for the portal and the API; and the rows that a selection names."""

import django_filters
from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict

from moc.portal.filters import IdFilter, PartyFilter, QuantityRangeFilter, ScopedFilterSet
from moc.rules import ERROR, WARNING
from registry.ders.choices import DerType, technologies
from registry.ders.filters import feeders
from registry.submissions.models import Finding, StagedDer, Submission, UtilityReview

DECIDABLE = (StagedDer.Status.PENDING, StagedDer.Status.INFO_REQUESTED)
FINDINGS = (("errors", "With errors"), ("warnings", "With warnings"), ("none", "Without findings"))
SHOWN = (("all", "All"), *UtilityReview.Status.choices)


class SubmissionFilterSet(ScopedFilterSet):
    """Submissions by status, source and parties."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}

    title = django_filters.CharFilter(lookup_expr="icontains", label="Title")
    status = django_filters.ChoiceFilter(choices=Submission.Status.choices, label="Status")
    kind = django_filters.ChoiceFilter(choices=Submission.Kind.choices, label="Kind")
    source = django_filters.ChoiceFilter(choices=Submission.Source.choices, label="Source")
    edc = PartyFilter(method="to_utility", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")

    def to_utility(self, rows, name: str, value: int):
        return rows.filter(Exists(UtilityReview.objects.filter(submission=OuterRef("id"), edc_id=value)))


class ReviewFilterSet(ScopedFilterSet):
    """Reviews by status and parties; without a status those that are not closed."""

    party_filters = {"edc": "edc", "aggregator": "aggregator"}

    status = django_filters.ChoiceFilter(choices=SHOWN, method="by_status", label="Status", empty_label="Not closed")
    edc = PartyFilter(field_name="edc_id", label="Utility")
    aggregator = PartyFilter(field_name="aggregator_id", label="Aggregator")

    def by_status(self, rows, name: str, value: str):
        return rows if value == "all" else rows.filter(status=value)


class RowFilterSet(ScopedFilterSet):
    """Filed rows by what was filed, by findings and by decision."""

    choice_filters = {"der_type": technologies}

    external_id = django_filters.CharFilter(label="DER", lookup_expr="iexact", help_text="the aggregator's id")
    der_type = django_filters.ChoiceFilter(choices=DerType.choices, label="Technology")
    status = django_filters.ChoiceFilter(choices=StagedDer.Status.choices, label="Decision")
    change = django_filters.ChoiceFilter(choices=StagedDer.Change.choices, label="Change")
    findings = django_filters.ChoiceFilter(choices=FINDINGS, method="by_findings", label="Findings")
    nameplate_ac_kw = QuantityRangeFilter(label="Nameplate AC (kW)")
    feeder = django_filters.CharFilter(method="on_feeder", label="Feeder", help_text="the utility's code")
    row = django_filters.NumberFilter(field_name="row_number", label="Row")
    decision = IdFilter(field_name="decision__uuid", label="Decision")

    def by_findings(self, rows, name: str, value: str):
        found = Finding.objects.filter(row=OuterRef("pk"))
        condition = {
            "errors": Exists(found.filter(severity=ERROR)),
            "warnings": Exists(found.filter(severity=WARNING)),
            "none": ~Exists(found),
        }
        return rows.filter(condition[value])

    def on_feeder(self, rows, name: str, value: str):
        """Of the service point that was filed; of the DER where a switch files none."""
        named = feeders(value)
        return rows.filter(Q(service_point__feeder_id__in=named) | Q(service_point=None, der__feeder_id__in=named))


def selected_rows(review: UtilityReview, user, selection: dict):
    """The rows of a review that a selection names: {"rows": [numbers]}, or {"filter": query string} for all of it still to be decided."""
    rows = StagedDer.objects.visible_to(user).of_review(review)
    if "rows" in selection:
        return rows.filter(row_number__in=selection["rows"])
    filterset = RowFilterSet(QueryDict(selection["filter"]), queryset=rows.filter(Q(status__in=DECIDABLE)), user=user)
    return filterset.qs if filterset.form.is_valid() else rows.none()
