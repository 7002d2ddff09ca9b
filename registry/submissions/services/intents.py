"""A settled notice of intent becomes a draft: what both parties agreed on is not typed again."""

from moc.access import policy
from moc.errors import Conflict
from moc.history import acting
from registry.ders.models import Der
from registry.intents.models import IntentNotice
from registry.submissions.models import StagedDer, Submission
from registry.submissions.services import filing, locks, staging

Change = StagedDer.Change


def file_settled(*, actor, notice: IntentNotice, source: str = Submission.Source.FORM) -> Submission:
    """A draft with the settled DERs at the utility's service points; the other facts are filled in as in any draft.

    Raises Conflict for a notice that is not settled.
    """
    policy.require(actor, "file_ders", notice.aggregator)
    if notice.status != IntentNotice.Status.SETTLED:
        raise Conflict(f"The notice is {notice.get_status_display().lower()}.", "File what you know, or wait until it is settled.")
    with acting(actor, f"Filing of {notice}"):
        made = filing.create_draft(actor=actor, aggregator=notice.aggregator, title=notice.title, source=source)
        points = list(notice.points.select_related("service_point").order_by("pk"))
        known = dict(
            Der.objects.filter(aggregator=notice.aggregator_id, external_id__in=[point.reference for point in points]).values_list(
                "external_id", "pk"
            )
        )
        StagedDer.objects.bulk_create(
            StagedDer(
                submission=made,
                row_number=number,
                change=Change.CHANGED if point.reference in known else Change.NEW,
                aggregator_id=notice.aggregator_id,
                edc_id=notice.edc_id,
                der_id=known.get(point.reference),
                external_id=point.reference,
                der_type=point.der_type,
                nameplate_ac_kw=point.nameplate_ac_kw,
                premise_address=point.premise_address,
                utility_id_eia=notice.edc.utility.eia_id,
                usage_point_id=point.service_point.usage_point_id,
                service_point=point.service_point,
                county_fips=point.service_point.county_id or "",
            )
            for number, point in enumerate(points, start=1)
        )
        staging.check(locks.submission_of(made))
    made.refresh_from_db()
    return made
