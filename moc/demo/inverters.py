"""Settings that the utility issues to a few inverters under its networks with their approval, and what their aggregator reads back of them:
most as they were issued, one with another curve, and one not at all. Generated, and told through the services as everybody's."""

from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.demo.networks import UTILITY, feeders_of
from moc.demo.parties import AGGREGATORS
from operations.interconnection.models import SettingsReadback
from operations.interconnection.services import reading_back
from registry.ders import inverters
from registry.ders.choices import DerType
from registry.ders.models import Der
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview
from registry.submissions.services import reviewing

ISSUED = 8
SETTINGS = {"volt_var": inverters.VOLT_VAR, "volt_watt": inverters.VOLT_WATT}
OTHER = {"volt_var": [[0.92, 0.3], [0.98, 0.0], [1.02, 0.0], [1.08, -0.3]], "volt_watt": inverters.VOLT_WATT}
WHY = "Within the interconnection agreements, with volt-var and volt-watt of category B"


def issue(submission: Submission, organizations: dict[str, Organization]) -> None:
    """Approve a few of the photovoltaic DERs of a filing with settings; nothing where they are decided."""
    edc = organizations[UTILITY]
    review = UtilityReview.objects.undecided().filter(submission=submission, edc=edc).select_related("edc").first()
    if review is None:
        return
    rows = StagedDer.objects.of_review(review).filter(der_type=DerType.PHOTOVOLTAIC, service_point__feeder__in=feeders_of(edc)[:1])
    chosen = list(rows.order_by("external_id").values_list("pk", "status")[:ISSUED])
    pending = [pk for pk, status in chosen if status == StagedDer.Status.PENDING]
    if pending:
        reviewer = policy.holders("review_ders", edc).order_by("pk").first()
        terms = {"kind": Decision.Kind.APPROVE, "statement": WHY, "inverter_settings": SETTINGS}
        reviewing.decide(actor=reviewer, review=review, rows=StagedDer.objects.filter(pk__in=pending), **terms)


def read_back(organizations: dict[str, Organization]) -> None:
    """What the gateway read of each but the last, once; the last but one has another curve."""
    aggregator = organizations[AGGREGATORS[0].code]
    with sight.engine():
        if SettingsReadback.objects.exists():
            return
        ders = Der.objects.filter(aggregator=aggregator, status=Der.Status.ACTIVE, inverter_settings__isnull=False)
        ders = list(ders.select_related("aggregator").order_by("external_id"))
        actor = policy.holders(reading_back.PERMISSION, aggregator).order_by("pk").first()
    said = {"at": timezone.now(), "source": SettingsReadback.Source.GATEWAY}
    for der in ders[:-1]:
        reading_back.tell(actor=actor, der=der, inverter_settings=OTHER if der == ders[-2] else SETTINGS, **said)
