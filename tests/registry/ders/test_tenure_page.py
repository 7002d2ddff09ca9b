"""The page where a utility changes the tenures of a filtered list (N3)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registry.ders.models import Der, DerTenure
from tests.factories.ders import register

pytestmark = pytest.mark.django_db
PAGE = "/registry/ders/tenure/"


@pytest.fixture
def said(world) -> dict:
    register(world, 3)
    return {
        "verb": "hand_over",
        "aggregator": world.aggregator2.pk,
        "on": timezone.localdate() + timedelta(days=1),
        "reason": "Sold",
        "number": 2,
    }


@pytest.fixture
def client(world, client_of):
    return client_of(world.user("edc", "approver"))


def test_the_filtered_list_is_handed_over(world, client, said):
    page = client.get(f"{PAGE}?nameplate_ac_kw_min=2")
    assert page.context["lead"].startswith("2 DERs") and page.context["form"].initial == {}
    assert client.post(f"{PAGE}?nameplate_ac_kw_min=2", said).status_code == 302
    planned = DerTenure.objects.filter(status="planned", aggregator=world.aggregator2)
    assert set(planned.values_list("der__external_id", flat=True)) == {"D-2", "D-3"}


def test_tenures_end_and_begin(world, client, said):
    today = said | {"on": timezone.localdate(), "number": 3}
    assert client.post(PAGE, today | {"verb": "end", "aggregator": ""}).status_code == 302
    assert set(Der.objects.values_list("aggregator", flat=True)) == {None}
    assert client.post(PAGE, today | {"verb": "begin"}).status_code == 302
    assert set(Der.objects.values_list("aggregator", flat=True)) == {world.aggregator2.pk}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"number": 3}, "The list has 2 DERs now, not 3."),
        ({"aggregator": ""}, "Choose the aggregator."),
        ({"reason": " "}, "Fill this in."),
        ({"on": "2020-01-01"}, "A tenure ends or begins today or later."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changed(client, said, wrong, words):
    answer = client.post(f"{PAGE}?nameplate_ac_kw_min=2", said | wrong)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert DerTenure.objects.filter(status="running", valid_during__upper_inf=True).count() == DerTenure.objects.count()


@pytest.mark.parametrize("query", ["as_of=2026-01-01", "tenure=former"])
def test_only_what_is_held_now_is_changed(client, said, query):
    assert client.post(f"{PAGE}?{query}", said).status_code == 404
    assert DerTenure.objects.filter(valid_during__upper_inf=True).count() == 3


def test_who_may_finds_the_way_from_list_and_record(world, client_of, said):
    der = Der.objects.first()
    for role, expected in (("approver", True), ("reviewer", False)):
        client = client_of(world.user("edc", role))
        listed = client.get("/registry/ders/?status=active").content.decode()
        shown = client.get(f"/registry/ders/{der.uuid}/").content.decode()
        assert ((f"{PAGE}?status=active" in listed), (f"{PAGE}?q={der.uuid}" in shown)) == (expected, expected)
