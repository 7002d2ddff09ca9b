"""What filings and reviews add to an organisation's take-out: the letters about decisions."""

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string

from moc.access.models import Organization
from moc.takeouts.datasets import Files, takeout_part
from registry.submissions import reports
from registry.submissions.models import Decision
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
