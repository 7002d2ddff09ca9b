"""Utilities' profiles hold from a day on, by portal and API: R6, N5."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from registry.participants import services, tasks
from registry.participants.models import UtilityPeriod, UtilityProfile
from registry.prequalification.rules.numbers import Numbers

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def one(world) -> str:
    return f"/api/v1/registry/utilities/{world.edc.utility.eia_id}/"


@pytest.fixture
def operator(world, api_of):
    return api_of(world.user("operator", "administrator"))


def change(api, one: str, **said):
    return api.patch(one, said, format="json", HTTP_IF_MATCH=api.get(one)["ETag"])


def test_a_change_holds_from_its_day_on_and_days_before_keep_theirs(world, operator, one):
    today = timezone.localdate()
    assert change(operator, one, valid_from="2026-03-01", nerc_region="SERC").json()["nerc_region"] == "SERC"
    later = change(operator, one, valid_from=str(today + DAY), tso="tso2").json()
    assert (later["tso"], later["nerc_region"]) == ("tso", "SERC")
    periods = [
        (each["valid_from"], each["valid_until"], each["nerc_region"], each["tso"]) for each in operator.get(f"{one}periods/").json()
    ]
    soon = str(today + DAY)
    assert periods == [(None, "2026-03-01", "", "tso"), ("2026-03-01", soon, "SERC", "tso"), (soon, None, "SERC", "tso2")]
    kept = operator.get(f"{one}versions/").json()["results"]
    assert kept[0]["by"] == str(world.user("operator", "administrator")) and kept[0]["reason"] == "profile from 2026-03-01"
    assert kept[0]["changes"] == {"nerc_region": {"before": "", "after": "SERC"}}


def test_a_correction_of_the_same_day_is_no_second_period_and_the_past_can_be_told_later(world, operator, one):
    change(operator, one, valid_from="2026-03-01", nerc_region="SERC")
    change(operator, one, valid_from="2026-03-01", nerc_region="RFC")
    assert change(operator, one, valid_from="2020-01-01", nerc_region="MRO").json()["nerc_region"] == "RFC"
    said = list(UtilityPeriod.objects.filter(edc=world.edc).order_by("valid_during").values_list("nerc_region", flat=True))
    assert said == ["", "MRO", "RFC"]
    change(operator, one, nerc_region="RFC")
    assert UtilityPeriod.objects.filter(edc=world.edc).count() == 3


def test_the_day_comes(world, operator, one, monkeypatch):
    """The profile has the facts of each day; what markets ask of a day to come asks the RTO of that day."""
    today = timezone.localdate()
    change(operator, one, valid_from=str(today + DAY), tso="tso2")
    assert Numbers.on(today).markets[world.edc.pk] == world.tso.pk
    assert Numbers.on(today + DAY).markets[world.edc.pk] == world.tso2.pk
    assert tasks.begin_profiles() == 0
    monkeypatch.setattr(timezone, "localdate", lambda *_: today + DAY)
    assert (tasks.begin_profiles(), tasks.begin_profiles()) == (1, 0)
    assert UtilityProfile.objects.get(edc=world.edc).tso == world.tso2


def test_lost_updates_and_strangers_are_refused(world, operator, one, api_of):
    first = operator.get(one)["ETag"]
    change(operator, one, valid_from=str(timezone.localdate() + DAY), tso="tso2")
    tag = operator.get(one)["ETag"]
    assert operator.patch(one, {"nerc_region": "RFC"}, format="json", HTTP_IF_MATCH=first).status_code == 412
    change(operator, one, nerc_region="SERC")
    late = operator.patch(one, {"nerc_region": "RFC"}, format="json", HTTP_IF_MATCH=tag)
    assert (late.status_code, late.json()["current"]["nerc_region"]) == (412, "SERC")
    assert operator.patch(one, {"tso": "edc"}, format="json", HTTP_IF_MATCH="*").status_code == 400
    about = api_of(world.user("edc", "administrator")).patch(one, {"nerc_region": "RFC"}, format="json", HTTP_IF_MATCH="*")
    assert about.status_code == 403 and UtilityPeriod.objects.on(date(2026, 1, 1)).count() == 1


def test_the_portal_shows_and_changes_it(world, client_of):
    client, eia = client_of(world.user("operator", "administrator")), world.edc.utility.eia_id
    said = {"ownership": "municipal", "balancing_authority": "PJM", "nerc_region": "RFC", "starts_on": "2026-03-01"}
    assert client.post(reverse("registry:utility_change", args=[eia]), said).status_code == 302
    page = client_of(world.user("aggregator", "viewer")).get(reverse("registry:utility_detail", args=[eia])).content.decode()
    assert "Municipal" in page and "Investor owned" in page and ">Change<" not in page
    assert world.edc.name in client.get(reverse("registry:utility_list")).content.decode()


def test_nothing_is_written_where_nothing_changes(world):
    profile = world.edc.utility
    assert not services.change_profile(actor=None, profile=profile, balancing_authority=profile.balancing_authority)
    assert not UtilityPeriod.objects.exists()
