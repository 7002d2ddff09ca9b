"""The catalogue of grid services: R6, N13. One person drafts a service, another puts it in force; until then nothing may seek it."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.history import acting
from registry.aggregations.services import building
from registry.catalogue import services as catalogue
from registry.catalogue.models import GridService
from tests.factories.world import REASON
from tests.registry.aggregations.making import made

pytestmark = pytest.mark.django_db
API, ADMIN = "/api/v1/registry/grid-services/", "/admin/registry/gridservice/"
INERTIA = {"code": "inertia", "name": "Inertia", "level": "wholesale"}


@pytest.fixture
def people(world):
    """Two administrators of the operator."""
    return world.user("operator", "administrator"), world.user("operator2", "administrator")


def test_two_people_add_a_service(world, people):
    first, second = people
    service = catalogue.draft(actor=first, **INERTIA)
    aggregation = made(world)
    with pytest.raises(ValidationError, match="no service inertia"):
        building.change(actor=world.user("aggregator", "filer"), aggregation=aggregation, services=["inertia"])
    with pytest.raises(UserError) as refused:
        catalogue.move(actor=first, service=service, name="approve")
    assert refused.value.code == "FOUR-EYES"
    with pytest.raises(NotPermitted):
        catalogue.move(actor=world.user("tso", "administrator"), service=service, name="approve")
    catalogue.move(actor=second, service=service, name="approve")
    changed = building.change(actor=world.user("aggregator", "filer"), aggregation=aggregation, services=["inertia"])
    assert changed.services == ["inertia"]
    with pytest.raises(Conflict):
        catalogue.draft(actor=first, **INERTIA)


def test_the_database_knows_it_too(people):
    """Neither psql nor another writer offers a service at once, or by one person."""
    with pytest.raises(IntegrityError, match="may not follow"), transaction.atomic(), acting(None, REASON):
        GridService.objects.create(**INERTIA, status="in_force")
    catalogue.draft(actor=people[0], **INERTIA)
    with pytest.raises(IntegrityError, match="service_four_eyes"), transaction.atomic(), acting(None, REASON):
        GridService.objects.filter(pk="inertia").update(status="in_force", approved_by=people[0])


def test_the_workplace_drafts_and_another_approves(world, people, client_of):
    first, second = map(client_of, people)
    assert first.post(f"{ADMIN}add/", INERTIA | {"reason": "tests"}).status_code == 302
    assert GridService.objects.get(pk="inertia").status == "draft"
    approve = {"confirmed": "yes", "reason": "tests"}
    first.post(f"{ADMIN}inertia/move/approve/", approve)
    assert GridService.objects.get(pk="inertia").status == "draft"
    second.post(f"{ADMIN}inertia/move/approve/", approve)
    assert GridService.objects.get(pk="inertia").status == "in_force"
    changed = first.post(f"{ADMIN}inertia/change/", INERTIA | {"name": "Other", "reason": "tests"})
    assert changed.status_code == 403 and GridService.objects.get(pk="inertia").name == "Inertia"


def test_by_program(people, api_of, world):
    first, second = map(api_of, people)
    assert first.post(API, INERTIA, format="json").json()["status"] == "draft"
    assert first.post(API, INERTIA, format="json").status_code == 409
    refused = first.post(f"{API}inertia/transitions/approve/", {}, format="json", HTTP_IF_MATCH="*")
    assert (refused.status_code, refused.json()["code"]) == (422, "FOUR-EYES")
    assert second.post(f"{API}inertia/transitions/approve/", {}, format="json", HTTP_IF_MATCH="*").json()["status"] == "in_force"
    assert api_of(world.user("aggregator", "administrator")).post(API, INERTIA, format="json").status_code == 403
    codes = [each["code"] for each in api_of(world.user("edc", "viewer")).get(API).json()["results"]]
    assert codes == sorted(codes) and "inertia" in codes


def test_the_shipped_ones_are_in_force(world):
    assert not GridService.objects.exclude(status="in_force").exists() and GridService.objects.in_force().count() >= 9
    assert catalogue.load() == 0
