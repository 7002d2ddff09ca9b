"""Aggregators in good standing: registered with a regulator, the agreement signed."""

from collections.abc import Iterable

from django.utils import timezone

from moc.access.models import Organization, User
from registry.aggregators import reports
from registry.aggregators.models import AggregatorRegistration, AgreementSignature


def register(aggregators: Iterable[Organization], rerra: Organization, signer: User) -> list[AggregatorRegistration]:
    """Register aggregators, without the parts of a registration; rule sets are loaded. Runs inside acting()."""
    text = reports.agreement()
    made = AggregatorRegistration.objects.bulk_create(
        AggregatorRegistration(aggregator=aggregator, rerra=rerra, legal_form="LLC", formed_in="NJ") for aggregator in aggregators
    )
    rows = AggregatorRegistration.objects.filter(pk__in=[each.pk for each in made])
    rows.update(status="submitted")
    rows.update(status="registered", registered_on=timezone.localdate())
    signed = {"agreement": text.row, "version": text.version, "text": text.text, "text_sha256": text.digest, "signed_by": signer}
    AgreementSignature.objects.bulk_create(AgreementSignature(aggregator=each.aggregator, signed_as="CEO", **signed) for each in made)
    return list(rows.select_related("aggregator", "rerra"))
