"""A little grid under each utility: one T-D interface, one substation, two feeders with a transformer each, service points."""

from decimal import Decimal

from moc.access.models import Organization
from registry.grid.models import (
    County,
    Feeder,
    Pnode,
    ServicePoint,
    ServiceTerritory,
    Substation,
    TdInterface,
    Transformer,
)
from registry.participants.models import UtilityProfile

EIA_IDS = {"edc": 9726, "edc2": 963}
SERVICE_POINTS = 12


def counties() -> list[County]:
    """Two counties of New Jersey."""
    return County.objects.bulk_create(
        [
            County(fips="34025", name="Monmouth", state="NJ", population=619000),
            County(fips="34001", name="Atlantic", state="NJ", population=264000),
        ]
    )


def lay(edc: Organization, tso: Organization, served: list[County]) -> tuple[list[Feeder], list[ServicePoint]]:
    """The utility's profile, territory and grid. Service points are "<slug>-up-01" …, alternating over both feeders."""
    _serve(edc, tso, served)
    pnode = Pnode.objects.create(tso=tso, name=f"{edc.slug.upper()} ZONE")
    interface = TdInterface.objects.create(edc=edc, pnode=pnode, code="TD1", name=f"Interface of {edc}")
    substation = Substation.objects.create(
        edc=edc,
        td_interface=interface,
        code="S1",
        name="First substation",
        latitude="40.25",
        longitude="-74.1",
    )
    feeders = Feeder.objects.bulk_create(Feeder(edc=edc, substation=substation, code=f"F{n}") for n in (1, 2))
    transformers = Transformer.objects.bulk_create(
        Transformer(edc=edc, feeder=feeder, code=f"T-{feeder.code}", rated_kva=Decimal(500)) for feeder in feeders
    )
    points = ServicePoint.objects.bulk_create(
        ServicePoint(
            edc=edc,
            usage_point_id=f"{edc.slug}-up-{n + 1:02}",
            transformer=transformers[n % 2],
            feeder=feeders[n % 2],
            county=served[0],
            zip_code="07701",
            address=f"{n + 1} Test Street, Red Bank",
            latitude="40.34710",
            longitude="-74.06430",
            phases_available=1,
            nominal_voltage_v=240,
        )
        for n in range(SERVICE_POINTS)
    )
    return feeders, points


def _serve(edc: Organization, tso: Organization, served: list[County]) -> None:
    UtilityProfile.objects.create(
        edc=edc,
        eia_id=EIA_IDS[edc.slug],
        ownership="investor_owned",
        balancing_authority="PJM",
        tso=tso,
        annual_mwh=20_000_000,
        annual_mwh_year=2018,
    )
    ServiceTerritory.objects.bulk_create(ServiceTerritory(edc=edc, county=county) for county in served)
