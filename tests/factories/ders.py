"""DERs straight in the master record, as decisions would have left them."""

from datetime import date
from decimal import Decimal

from moc.history import acting
from registry.ders.models import Der
from registry.participants.models import DerOwner
from tests.factories.personal import registered_owner
from tests.factories.world import REASON, World


def register(world: World, count: int = 3, *, edc: str = "edc", aggregator: str = "aggregator", prefix: str = "D", **facts) -> list[Der]:
    """`count` photovoltaic DERs "<prefix>-1" … of an aggregator at a utility's service points, sized 1 kW, 2 kW and so on."""
    points = world.service_points[edc]
    rows = [
        Der(
            **{
                "external_id": f"{prefix}-{n}",
                "der_type": "photovoltaic",
                "customer_sector": "residential",
                "consent_reference": "C-1",
                "premise_address": f"{n} Elm Street, Red Bank",
                "serial_no": f"{prefix}SN{n}",
                "nameplate_ac_kw": Decimal(n),
                "approved_export_kw": Decimal(0),
                "approved_import_kw": Decimal(0),
                "commissioned_on": date(2018, 5, 14),
                "latitude": Decimal("40.34710"),
                "longitude": Decimal("-74.06430"),
                "status": Der.Status.ACTIVE,
                "registered_on": date(2024, 1, 1 + n % 28),
                "aggregator": world.organizations[aggregator],
                "edc": world.organizations[edc],
                "service_point": points[n % len(points)],
                "feeder": points[n % len(points)].feeder,
                "county": points[n % len(points)].county,
            }
            | facts
        )
        for n in range(1, count + 1)
    ]
    with acting(None, REASON):
        return Der.objects.bulk_create(rows)


def own(world: World, der: Der, name: str = "Ada Owner") -> DerOwner:
    """Give a DER its owner."""
    with acting(None, REASON):
        owner = registered_owner(der.aggregator, der.edc, edc_account_no="100000042", owner_name=name)
        Der.objects.filter(pk=der.pk).update(owner=owner)
    return owner
