"""What is confidential is 404 for the other party, at every door and behind every query: N2, N3; Order 2222 ¶299."""

import json
from copy import deepcopy

import pytest

from moc import sight
from moc.access import policy
from moc.access.models import User
from settlement.disputes.endings import Determination
from settlement.disputes.models import BundleItem, Dispute, DisputePart
from settlement.disputes.services import determining, levels, pleading
from tests.factories.disputes import STUDY, disputed, pdf
from tests.sharing import standing

pytestmark = pytest.mark.django_db
ASIDE = ("aggregator2:administrator", "edc2:administrator", "tso2:administrator", "rerra2:administrator", "operator:administrator")


@pytest.fixture(scope="module")
def standing_dispute(standing_world, folder, standing_denial) -> Dispute:
    return standing(lambda world: disputed(world, "rto"), standing_world, folder)


@pytest.fixture
def dispute(world, standing_dispute) -> Dispute:
    return deepcopy(standing_dispute)


@pytest.fixture
def secret(world, dispute) -> DisputePart:
    """The aggregator's prices, in confidence, before the RTO."""
    actor = world.user("aggregator", "approver")
    return pleading.file(actor=actor, dispute=dispute, kind="evidence", text="Our prices", upload=pdf("prices.pdf"), is_shared=False)


def doors(part: DisputePart) -> list[str]:
    own, api = f"/settlement/parts/{part.uuid}/", f"/api/v1/settlement/parts/{part.uuid}/"
    return [own, f"{own}file/", api, f"{api}file/", f"/documents/{part.document.uuid}/", f"/api/v1/documents/{part.document.uuid}/file/"]


def knock(world, client_of, api_of, actor: str, url: str):
    user = world.user(*actor.split(":"))
    return (api_of if url.startswith("/api/") else client_of)(user).get(url)


def named(actor: str) -> tuple[str, str]:
    kind, _, role = actor.partition(":")
    return kind, role


@pytest.mark.parametrize("actor", ["edc:administrator", "edc:approver", "rerra:administrator", *ASIDE])
def test_a_confidential_part_is_nowhere_for_the_other_party_and_for_who_is_not_asked(world, client_of, api_of, dispute, secret, actor):
    for url in doors(secret):
        assert knock(world, client_of, api_of, actor, url).status_code == 404, url
    for url in (f"/settlement/disputes/{dispute.uuid}/", f"/api/v1/settlement/disputes/{dispute.uuid}/parts/"):
        answer = knock(world, client_of, api_of, actor, url)
        assert answer.status_code in (200, 404) and b"Our prices" not in answer.content and str(secret.uuid).encode() not in answer.content
    assert b"Our prices" not in knock(world, client_of, api_of, actor, "/api/v1/settlement/parts/").content


@pytest.mark.parametrize("actor", ["aggregator:approver", "aggregator:viewer", "tso:auditor"])
def test_those_for_whom_it_is_read_it_with_its_file(world, client_of, api_of, secret, actor):
    for url in doors(secret)[:4]:
        answer = knock(world, client_of, api_of, actor, url)
        assert answer.status_code == 200, url
        if "file" in url:
            assert b"".join(answer.streaming_content) == STUDY


def test_the_regulator_reads_it_from_the_day_the_dispute_comes_there(world, client_of, dispute, secret):
    url, auditor = doors(secret)[0], world.user("rerra", "auditor")
    assert client_of(auditor).get(url).status_code == 404
    levels.move(actor=world.user("tso", "auditor"), dispute=dispute, name="refer", reason="A tariff.")
    assert client_of(auditor).get(url).status_code == 200
    assert client_of(world.user("edc", "administrator")).get(url).status_code == 404


def test_row_security_hides_it_from_a_query_that_forgot_its_scope(world, dispute, secret):
    """N2: the second line, for parts, drafts and bundles."""
    draft = determining.propose(actor=world.user("tso", "auditor"), dispute=dispute, outcome="upheld", reasons="Thin.")

    def sees(actor: str) -> tuple[bool, bool, set]:
        with sight.seeing(policy.sight_of(User.objects.get(pk=world.user(*named(actor)).pk))):
            audiences = set(BundleItem.objects.filter(dispute_id=dispute.pk).values_list("audience", flat=True))
            return DisputePart.objects.filter(pk=secret.pk).exists(), Determination.objects.filter(pk=draft.pk).exists(), audiences

    assert sees("edc:administrator") == (False, False, {"", "edc"})
    assert sees("aggregator:administrator") == (True, False, {"", "aggregator"})
    assert sees("tso:auditor") == (True, True, {"", "aggregator", "edc"})
    assert sees("rerra:auditor") == (False, False, {"", "edc"}), "by oversight of the utility, until the dispute is before it"
    for actor in ASIDE:
        assert sees(actor) == (False, False, set()), actor


def test_history_of_a_draft_is_hidden_too(world, dispute):
    draft = determining.propose(actor=world.user("tso", "auditor"), dispute=dispute, outcome="upheld", reasons="Thin.")
    with sight.seeing(policy.sight_of(world.user("edc", "administrator"))):
        assert not Determination.history.model.objects.filter(id=draft.pk).exists()
    with sight.seeing(policy.sight_of(world.user("tso", "administrator"))):
        assert Determination.history.model.objects.filter(id=draft.pk).exists()


def test_a_deciders_note_is_its_own(world, client_of, dispute):
    note = pleading.file(actor=world.user("tso", "auditor"), dispute=dispute, kind="note", text="A weak case.")
    url = f"/settlement/parts/{note.uuid}/"
    assert client_of(world.user("tso", "viewer")).get(url).status_code == 200
    for actor in ("aggregator:administrator", "edc:administrator", "rerra:administrator"):
        assert client_of(world.user(*named(actor))).get(url).status_code == 404


def test_each_partys_bundle_holds_what_it_may_read(world, client_of, dispute):
    def sources(actor: str) -> list[dict]:
        answer = client_of(world.user(*named(actor))).get(f"/settlement/disputes/{dispute.uuid}/bundle.ndjson")
        return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()][1:]

    assert {line["audience"] for line in sources("aggregator:viewer")} == {"", "aggregator"}
    assert {line["audience"] for line in sources("edc:viewer")} == {"", "edc"}
    assert len(sources("tso:viewer")) == dispute.bundle_count
    own_page = client_of(world.user("aggregator", "viewer")).get(f"/settlement/disputes/{dispute.uuid}/bundle/")
    assert b"denial_proposed" not in own_page.content and b"Intact" in own_page.content


@pytest.mark.parametrize("actor", ASIDE)
def test_strangers_to_a_dispute_find_nothing(world, client_of, api_of, dispute, actor):
    for url in (
        f"/settlement/disputes/{dispute.uuid}/",
        f"/settlement/disputes/{dispute.uuid}/bundle/",
        f"/api/v1/settlement/disputes/{dispute.uuid}/",
    ):
        assert knock(world, client_of, api_of, actor, url).status_code == 404
    assert dispute.title.encode() not in knock(world, client_of, api_of, actor, "/settlement/disputes/?status=all").content
    assert world.edc.name.encode() not in knock(world, client_of, api_of, actor, "/settlement/disputes/figures/").content.split(b"<main")[1]
