"""What filings and reviews add: letters to take-outs, and reviews, decisions and filed rows to build reports on."""

from datetime import datetime

from django.conf import settings
from django.db.models import BooleanField, Case, DateTimeField, DurationField, ExpressionWrapper, F, FloatField, Q, Value, When
from django.db.models.functions import Coalesce, Extract, Now
from django.template.loader import render_to_string

from moc.access.models import Organization
from moc.reports.datasets import BOOLEAN, FLOAT, Item, dataset
from moc.takeouts.datasets import Files, takeout_part
from registry.submissions import reports
from registry.submissions.models import Decision, StagedDer, UtilityReview
from registry.submissions.services import reviewing

OPEN = (Decision.Status.PROPOSED, Decision.Status.REJECTED)


@takeout_part
def letters(organization: Organization) -> Files:
    """The letter about each decision that was told to the aggregator, for the utility and for the aggregator."""
    from moc.paper import pdf  # here: this module is discovered at the start, WeasyPrint only when something is printed

    party = Q(review__edc=organization) | Q(review__aggregator=organization)
    rows = Decision.objects.filter(party).exclude(status__in=OPEN).order_by("pk")
    for decision in rows.select_related("review__submission", "review__edc", "review__aggregator", "evidence", "letter_template__edc"):
        context, logo = reports.letter(decision, reviewing.decided_rows(decision))
        shell = {"moc_title": settings.MOC_TITLE, "site_notice": settings.MOC_SITE_NOTICE}
        yield f"letters/{decision.uuid}.pdf", pdf(render_to_string("documents/decision_letter.html", shell | context), {"logo": logo})


def _days(moment: datetime | None):
    """Days from the start of the review to its end, or to the moment asked for."""
    span = ExpressionWrapper(Coalesce("closed_at", _at(moment)) - F("started_at"), DurationField())
    return Extract(span, "epoch", output_field=FloatField()) / 86_400.0


def _late(moment: datetime | None):
    return Case(When(Q(due_at__lt=Coalesce("closed_at", _at(moment))), then=True), default=False, output_field=BooleanField())


def _at(moment: datetime | None):
    return Value(moment, output_field=DateTimeField()) if moment else Now()


dataset(
    "reviews",
    "Utility reviews",
    UtilityReview,
    ("submission__title", "Submission"),
    ("submission__kind", "Kind"),
    "status",
    ("edc__name", "Utility"),
    ("aggregator__name", "Aggregator"),
    Item("days", "Days of review", FLOAT, expression=_days),
    Item("late", "After its clock ended", BOOLEAN, expression=_late),
    ("row_count", "DERs"),
    "started_at",
    "due_at",
    "closed_at",
    "escalated_at",
    about="Reviews of filings by utilities against the clock (¶292, ¶295), open and closed.",
)

dataset(
    "decisions",
    "Decisions of utilities",
    Decision,
    "kind",
    "status",
    ("reason_code", "Ground"),
    ("review__edc__name", "Utility"),
    ("review__aggregator__name", "Aggregator"),
    ("review__submission__title", "Submission"),
    ("row_count", "DERs"),
    "export_limit_kw",
    "import_limit_kw",
    "decided_at",
    "confirmed_at",
    about="Approvals, limits, denials by ground, and questions.",
)

dataset(
    "filed-ders",
    "Filed DERs",
    StagedDer,
    ("submission__uuid", "Application id"),
    ("row_number", "Row"),
    "external_id",
    "status",
    "change",
    ("edc__name", "Utility"),
    ("aggregator__name", "Aggregator"),
    ("service_point__county__name", "County"),
    "zip_code",
    "der_type",
    "nameplate_dc_kw",
    "nameplate_ac_kw",
    "max_discharge_kw",
    "energy_capacity_kwh",
    "customer_sector",
    "retail_programs",
    "interconnection_kind",
    "interconnection_agreement_on",
    ("submission__submitted_at", "Application received"),
    ("decision__decided_at", "Decided"),
    ("decision__kind", "Decision"),
    "manufacturer",
    "model",
    about="Every row that was filed, with what became of it.",
)
