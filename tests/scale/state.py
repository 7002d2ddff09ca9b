"""The state that benchmarks need, made by SQL: parties, grid and service points, without the engine that is measured."""

from django.db import connection

from moc.access.models import Membership, Organization, User
from moc.history import acting
from moc.rulesets.services import load
from registry.grid.models import County
from registry.participants.models import UtilityProfile
from tests.factories.registrations import register
from tests.scale.generator import UTILITIES

REASON = "system: benchmark"
_SERVICE_POINTS = """
    INSERT INTO registry_servicepoint (edc_id, usage_point_id, county_id, zip_code, address, phases_available)
    SELECT (%s::bigint[])[(i - 1) %% 8 + 1], 'SP-' || lpad(i::text, 7, '0'), NULL, '', '', 3 FROM generate_series(1, %s) AS i
"""


def parties() -> tuple[User, Organization, list[Organization]]:
    """A filer with its aggregator, and the eight utilities, each with a reviewer; rule sets loaded."""
    load()
    with acting(None, REASON):
        aggregator = Organization.objects.create(kind="aggregator", name="Bench aggregator", slug="bench")
        edcs = [Organization.objects.create(kind="edc", name=f"Utility {eia}", slug=f"edc{eia}") for eia in UTILITIES]
        for eia, edc in zip(UTILITIES, edcs, strict=True):
            UtilityProfile.objects.create(edc=edc, eia_id=eia, ownership="other", balancing_authority="PJM")
        filer = _member("filer@bench.example.org", aggregator, "approver")
        regulator = Organization.objects.create(kind="rerra", name="Bench regulator", slug="bench-regulator")
        register([aggregator], regulator, filer)
        for edc in edcs:
            _member(f"reviewer@{edc.slug}.example.org", edc, "reviewer")
        County.objects.bulk_create(County(fips=f"34{number:03}", name=f"County {number}", state="NJ") for number in range(1, 42, 2))
    return filer, aggregator, edcs


def _member(email: str, organization: Organization, role: str) -> User:
    user = User.objects.create_user(email, "not used")
    Membership.objects.create(user=user, organization=organization, role=role)
    return user


def service_points(edcs: list[Organization], count: int) -> None:
    """`count` service points, number i at utility (i - 1) % 8, as the generator names them."""
    with acting(None, REASON), connection.cursor() as cursor:
        cursor.execute(_SERVICE_POINTS, [[edc.pk for edc in edcs], count])
