"""Lists as recorded at a moment: what stood then, under the same scope, in the export too (N4)."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.utils import timezone

from moc.history import acting
from registry.aggregations.models import Aggregation
from registry.aggregators.models import AggregatorRegistration
from registry.grid.models import Feeder, Substation
from registry.submissions.models import Submission
from settlement.disputes.models import Dispute
from tests.contracts.scene import Scene, make_scene

LISTS = {
    "/registry/aggregations/": Aggregation,
    "/registry/aggregators/": AggregatorRegistration,
    "/registry/submissions/": Submission,
    "/settlement/disputes/": Dispute,
}


@pytest.fixture(scope="module")
def scene(django_db_setup, django_db_blocker) -> Iterator[Scene]:
    """The scene of the access matrix, once."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_scene()
        transaction.set_rollback(True)


def shown(client, address: str, **query) -> int:
    """How many rows a list shows on its first page."""
    response = client.get(f"{address}?{urlencode(query)}")
    assert response.status_code == 200, response.content
    return len(response.context["table"].rows)


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("who", ["rerra", "edc", "aggregator"])
def test_a_list_shows_what_stood_then(scene, client_of, address, who):
    client, every = client_of(scene.world.user(who, "auditor")), {"status": "all"} if "disputes" in address else {}
    now = timezone.now().isoformat()
    present = shown(client, address, **every)
    assert (present or who == "edc") and shown(client, address, as_of=now, **every) == present
    assert shown(client, address, as_of="2020-01-01", **every) == 0


def test_filters_hold_and_strangers_see_nothing(scene, client_of):
    """By utility as of a moment; a utility that is no party sees none."""
    now = timezone.now().isoformat()
    client = client_of(scene.world.user("rerra", "auditor"))
    assert shown(client, "/registry/submissions/", edc=scene.world.edc.pk) == shown(
        client, "/registry/submissions/", edc=scene.world.edc.pk, as_of=now
    )
    other = client_of(scene.world.user("edc2", "administrator"))
    for address in LISTS:
        assert shown(other, address, as_of=now) == shown(other, address)


def test_exports_are_as_of_the_moment_too(scene, client_of):
    client = client_of(scene.world.user("rerra", "auditor"))
    for address in ("/registry/aggregations/export.csv", "/settlement/disputes/export.csv"):
        before = b"".join(client.get(f"{address}?as_of=2020-01-01").streaming_content)
        after = b"".join(client.get(f"{address}?{urlencode({'as_of': timezone.now().isoformat()})}").streaming_content)
        assert len(before.splitlines()) == 1 < len(after.splitlines())


def test_a_former_utility_sees_what_was_its_own_then(scene, client_of):
    """A feeder that another utility took over: each sees it as of its own time, in list, page and export, under row-level security."""
    with acting(None, "system: test"):
        substation = Substation.objects.filter(edc=scene.world.edc).first()
        feeder = Feeder.objects.create(edc=scene.world.edc, substation=substation, code="F-HANDED-OVER")
    kept = timezone.now()
    with acting(None, "system: test"):
        Feeder.objects.filter(pk=feeder.pk).update(edc=scene.world.edc2)
    former, later = (client_of(scene.world.user(kind, "administrator")) for kind in ("edc", "edc2"))
    lists, page, export = "/registry/grid/feeders/", f"/registry/grid/feeders/{feeder.pk}/", "/registry/grid/feeders/export.csv"
    for client, own, other in ((former, kept, timezone.now()), (later, timezone.now(), kept)):
        theirs, not_theirs = {"as_of": own.isoformat()}, {"as_of": other.isoformat()}
        assert feeder.code in client.get(lists, theirs).content.decode()
        assert feeder.code not in client.get(lists, not_theirs).content.decode()
        assert client.get(page, theirs).status_code == 200 and client.get(page, not_theirs).status_code == 404
        assert feeder.code in b"".join(client.get(export, theirs).streaming_content).decode()
        assert feeder.code not in b"".join(client.get(export, not_theirs).streaming_content).decode()
