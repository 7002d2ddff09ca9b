"""A utility's own review rules are set, replaced and ended by program too: N11, N13, ¶292."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registry.utilities.models import ReviewRule

pytestmark = pytest.mark.django_db
API = "/api/v1/registry/review-rules/"
TODAY = timezone.localdate()
RULE = {"field": "nameplate_ac_kw", "kind": "at_most", "number": 500, "remedy": "Ask for a study.", "valid_from": str(TODAY)}


@pytest.fixture
def utility(world, api_of):
    return api_of(world.user("edc", "administrator"))


def test_a_rule_is_set_replaced_and_ended(world, utility):
    made = utility.post(API, RULE, format="json")
    assert made.status_code == 201 and made.json()["edc"] == "edc"
    soon = str(TODAY + timedelta(days=9))
    again = utility.post(API, RULE | {"number": 400, "valid_from": soon, "replaces": made.json()["id"]}, format="json")
    first = utility.get(f"{API}{made.json()['id']}/")
    assert (first.json()["valid_until"], again.json()["valid_from"]) == (soon, soon)
    end = f"{API}{again.json()['id']}/end/"
    assert utility.post(end, {"on": str(TODAY)}, format="json").status_code == 428
    ended = utility.post(end, {"on": str(TODAY)}, format="json", HTTP_IF_MATCH=again["ETag"])
    assert ended.status_code == 200 and ReviewRule.objects.get(uuid=again.json()["id"]).valid_during.isempty
    late = utility.post(end, {"on": str(TODAY)}, format="json", HTTP_IF_MATCH="*")
    assert (late.status_code, late.json()["code"]) == (422, "ENDED")


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"kind": "one_of", "number": None, "codes": ["x"]}, 422),
        ({"valid_from": "2020-01-01"}, 422),
        ({"technologies": ["perpetuum"]}, 400),
        ({"number": None}, 400),
        ({"replaces": "5f6b3a52-6f0e-4d0a-9a57-0c1f1d1b7c11"}, 400),
        ({"edc": "edc2"}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(world, utility, wrong, status):
    assert utility.post(API, RULE | wrong, format="json").status_code == status and not ReviewRule.objects.exists()


def test_only_the_utilitys_administrators_set_rules(world, api_of, utility):
    assert api_of(world.user("edc", "reviewer")).post(API, RULE, format="json").status_code == 403
    made = utility.post(API, RULE, format="json").json()
    other = api_of(world.user("edc2", "administrator")).post(
        f"{API}{made['id']}/end/", {"on": str(TODAY)}, format="json", HTTP_IF_MATCH="*"
    )
    assert other.status_code == 403
    assert api_of(world.machine).get(f"{API}{made['id']}/").json()["number"] == 500
