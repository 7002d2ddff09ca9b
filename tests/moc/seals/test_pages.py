"""N4: what everybody sees of seals, and the proof of one version, checked by the program that anybody downloads."""

import json
import subprocess
import sys

import pytest
from django.test import Client
from django.urls import reverse

from moc.accesslog.services import note
from moc.seals import checker, keys, services
from moc.seals.models import Seal, SealedTable, Verification
from tests.moc.seals.conftest import TABLE, execute


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_everybody_sees_what_was_signed(sealed, rename, client):
    rename(sealed, "New")
    services.seal()
    page = client.get(reverse("seal_list")).content.decode()
    assert all(each.digest in page for each in Seal.objects.all())
    assert keys.in_text(keys.public(keys.signing())) in page
    assert "Verify everything" not in page and "Seal now" not in page
    one = client.get(reverse("seal", args=[2])).content.decode()
    assert SealedTable.objects.get(seal=2).root in one and Seal.objects.get(number=1).digest in one
    lines = body(client.get(reverse("seals_file"))).decode().splitlines()
    assert [json.loads(line) for line in lines] == [services.published(each) for each in Seal.objects.order_by("number")]
    assert json.loads(body(client.get(reverse("seal_file", args=[1])))) == json.loads(lines[0])
    assert client.get(reverse("seal", args=[3])).status_code == 404


def test_seals_are_listed_in_pages(sealed, rename, client, monkeypatch):
    monkeypatch.setattr("moc.seals.views.SHOWN", 2)
    for name in ("A", "B"):
        rename(sealed, name)
        services.seal()
    first = client.get(reverse("seal_list")).content.decode()
    assert "Seal 3</a>" in first and "Seal 1</a>" not in first and "?before=2" in first
    assert "Seal 1</a>" in client.get(reverse("seal_list"), {"before": "2"}).content.decode()
    assert "Seal 3</a>" in client.get(reverse("seal_list"), {"before": "x"}).content.decode()


def test_a_page_of_seals_costs_few_queries(sealed, client, django_assert_max_num_queries):
    client.get(reverse("seal_list"))
    with django_assert_max_num_queries(8):
        client.get(reverse("seal_list"))


def test_the_buttons_are_for_those_who_may(sealed, client_of):
    auditor = client_of(sealed.user("rerra", "auditor"))
    page = auditor.get(reverse("seal_list")).content.decode()
    assert "Verify everything" in page and "Seal now" not in page
    assert auditor.post(reverse("seal_now")).status_code == 404
    assert auditor.post(reverse("seal_verify"))["Location"].startswith("/jobs/")


def test_a_verification_shows_what_it_found(sealed, tamper, client_of):
    tamper(f'UPDATE "{TABLE}" SET name = %s WHERE history_id = (SELECT min(history_id) FROM "{TABLE}")', "Another")
    made, found = services.run_verification()
    client = client_of(sealed.user("rerra", "auditor"))
    assert str(made.uuid) in client.get(reverse("verification_list")).content.decode()
    page = client.get(reverse("verification", args=[made.uuid])).content.decode()
    assert found[0].sentence in page and "Sealed history is not as it was sealed." in page
    good = Verification.objects.create(last_seal=Seal.objects.get(), row_count=1, unsealed=0, finding_count=0)
    assert "Everything is as it was sealed." in client.get(reverse("verification", args=[good.uuid])).content.decode()


@pytest.fixture
def proven(sealed, client_of, tmp_path):
    """A proof of a version of the utility's, the kept seals, and the checker, as they are downloaded."""
    client = client_of(sealed.user("edc", "auditor"))
    row = sealed.edc.history.order_by("history_id").first().history_id
    files = {
        "proof.json": reverse("seal_proof", args=[TABLE, row]),
        "seals.ndjson": reverse("seals_file"),
        "check_proof.py": reverse("seal_checker"),
    }
    for name, url in files.items():
        (tmp_path / name).write_bytes(body(client.get(url)))
    return tmp_path


def run(folder, *arguments: str) -> subprocess.CompletedProcess:
    """The downloaded checker, without anything of ours on its path."""
    key = keys.in_text(keys.public(keys.signing()))
    command = [sys.executable, "-I", "check_proof.py", "proof.json", "--key", key, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={})


def test_a_proof_holds_outside_of_the_registry(proven, sealed):
    done = run(proven, "--seals", "seals.ndjson")
    assert done.returncode == 0, done.stderr
    assert "The seal stands among 1 kept ones." in done.stdout and "PROVEN: this row of moc_historicalorganization" in done.stdout
    assert f"  name: {sealed.edc.name}\n" in done.stdout and f"  id: {sealed.edc.pk}\n" in done.stdout


def _row(proof):
    proof["row"] = proof["row"].replace("edc", "xyz")


def _columns(proof):
    proof["columns"][0][0] = "another"


def _leaves(proof):
    proof["leaves"] = checker.sha256(proof["row"].encode()).hex()
    proof["position"] = 0


def _statement(proof):
    proof["seal"]["statement"] = proof["seal"]["statement"].replace('"rows":', '"rows": ')


def _place(proof):
    proof["position"] = -1


def _table(proof):
    proof["table"] = "moc_historicaluser"


@pytest.mark.parametrize("forge", [_row, _columns, _leaves, _statement, _place, _table])
def test_a_forged_proof_does_not_hold(proven, forge):
    proof = json.loads((proven / "proof.json").read_text())
    forge(proof)
    (proven / "proof.json").write_text(json.dumps(proof))
    done = run(proven)
    assert (done.returncode, done.stdout.startswith("NOT PROVEN")) == (1, True)


def test_a_proof_whose_seal_was_never_published_does_not_hold(proven):
    (proven / "seals.ndjson").write_text("")
    assert "not among the seals that you kept" in run(proven, "--seals", "seals.ndjson").stdout


def test_there_is_no_proof_of_what_was_altered_or_is_not_sealed(sealed, tamper, rename, client_of, api_of):
    user = sealed.user("edc", "auditor")
    rename(sealed, "New")
    newest, oldest = sealed.edc.history.order_by("-history_id").first(), sealed.edc.history.order_by("history_id").first()
    tamper(f'UPDATE "{TABLE}" SET name = %s WHERE history_id = %s', "Another", oldest.pk)
    client, api = client_of(user), api_of(user)
    for row, words in ((newest.pk, "not sealed yet"), (oldest.pk, "not as it was sealed")):
        assert words in client.get(reverse("seal_proof", args=[TABLE, row]), follow=True).content.decode()
        answer = api.get(f"/api/v1/seals/proofs/{TABLE}/{row}/")
        assert words in answer.content.decode() and answer.status_code in {400, 409, 422}


@pytest.mark.parametrize("table", ["moc_user", "nothing", TABLE])
def test_there_is_no_proof_of_what_one_may_not_see(sealed, client_of, table):
    row = sealed.edc2.history.order_by("history_id").first().history_id
    assert client_of(sealed.user("edc", "auditor")).get(reverse("seal_proof", args=[table, row])).status_code == 404


def test_a_proof_shows_no_ciphertext(sealed, later, client_of):
    """N12: the digest of a sealed part stands for it."""
    from tests.factories.personal import contact

    contact(sealed.edc, name="A contact", email="contact@example.org")
    later("registry_historicalcontact")
    services.seal()
    ((row, text),) = execute("SELECT history_id, encode(sealed, 'hex') FROM registry_historicalcontact")
    proof = client_of(sealed.user("edc", "administrator")).get(reverse("seal_proof", args=["registry_historicalcontact", row])).json()
    assert text and text not in proof["row"]
    assert checker.check(proof, keys.public(keys.signing()))["sealed"] == checker.sha256(bytes.fromhex(text)).hex()


def test_an_entry_of_the_access_log_is_proven(sealed, later, api_of):
    entry = note(
        actor=None, holder=sealed.edc.pk, filed_by=None, record='A "DER", \\ with (signs)', subject=None, columns=["a"], purpose="legal"
    )
    later("moc_accessentry", "id")
    services.seal()
    proof = api_of(sealed.user("rerra", "auditor")).get(f"/api/v1/seals/proofs/moc_accessentry/{entry.pk}/").json()
    row = checker.check(proof, keys.public(keys.signing()))
    assert (row["record"], row["subject"], row["note"]) == ('A "DER", \\ with (signs)', None, "")


def test_the_timeline_of_the_workplace_links_to_the_proof(sealed, client_of):
    version = sealed.edc.history.order_by("history_id").first()
    page = client_of(sealed.user("rerra", "auditor")).get(f"/admin/moc/organization/{sealed.edc.pk}/history/").content.decode()
    assert reverse("seal_proof", args=[TABLE, version.pk]) in page


def test_a_stranger_gets_no_proof(sealed):
    assert Client().get(reverse("seal_proof", args=[TABLE, 1])).status_code == 302
