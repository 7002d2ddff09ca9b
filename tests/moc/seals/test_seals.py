"""N4: what is sealed, when, and how a seal is made."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import InternalError, ProgrammingError, transaction
from django.db.models import F

from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import Version, acting
from moc.jobs.models import Job
from moc.seals import canon, keys, proofs, services, tasks
from moc.seals.checker import climb, path_to, root_of, sha256
from moc.seals.models import Seal, SealedBlock, SealedTable, Verification
from moc.seals.verification import verify
from tests.moc.seals.conftest import TABLE, execute


def test_every_history_and_every_append_only_record_is_sealed():
    refuse = {
        model._meta.db_table
        for model in apps.get_models()
        if {"rows", "table"} <= {trigger.name.partition("_")[2] for trigger in getattr(model._meta, "triggers", ())}
        and any(field.name == "transaction_id" for field in model._meta.concrete_fields)
    }
    history = {model._meta.db_table for model in apps.get_models() if issubclass(model, Version)}
    assert history < refuse == set(canon.tables())
    assert refuse - history == {
        "moc_accessentry",
        "moc_archive",
        "moc_exportentry",
        "moc_supportact",
        "operations_forecast",
        "operations_meterday",
        "operations_reading",
        "operations_subjectreading",
        "operations_logentry",
        "operations_settingsreadback",
        "registry_agreementsignature",
        "registry_formerconnection",
        "settlement_bundleitem",
        "settlement_disputepart",
    }


def test_every_sealed_table_is_indexed_by_transaction(db):
    found = {table for (table,) in execute("SELECT tablename FROM pg_indexes WHERE indexdef LIKE %s", "%USING brin (transaction_id)%")}
    partitions = {table for table in found if table[-8:-4] == "_202" or table[-8:-5] == "_20"}
    assert found - partitions == set(canon.tables())  # a partition has it of its table


def test_what_this_transaction_wrote_waits_for_the_next_seal(world):
    """It has not ended: pg_snapshot_xmin is not past it."""
    with acting(None, "tests"):
        type(world.edc).objects.filter(pk=world.edc.pk).update(legal_name="Waits")
    made = services.seal()
    written = world.edc.history.order_by("-history_id").first()
    assert made is None or made.before <= written.transaction_id
    assert not SealedBlock.objects.filter(table=TABLE, first__lte=written.history_id, last__gte=written.history_id).exists()


def test_a_row_that_was_committed_late_is_sealed_late(sealed, tamper, monkeypatch):
    """Its key lies among those of an earlier seal; transactions decide, not keys."""
    names = ("A", "B", "C")
    for name in names:
        with acting(None, "tests"):
            type(sealed.edc).objects.filter(pk=sealed.edc.pk).update(legal_name=name)
    first = Seal.objects.get().before
    rows = sealed.edc.history.order_by("history_id").filter(legal_name__in=names)
    for row, transaction_id in zip(rows, (first + 1, first + 9, first + 2), strict=True):
        tamper(f'UPDATE "{TABLE}" SET transaction_id = %s WHERE history_id = %s', transaction_id, row.history_id)
    counts = []
    for before in (first + 5, first + 10):
        monkeypatch.setattr(services, "horizon", lambda before=before: before)
        counts.append(services.seal().row_count)
    found = verify()
    assert (counts, list(found), found.unsealed) == ([2, 1], [], 0)


def test_a_seal_holds_the_digest_of_the_former_and_nothing_new_makes_none(sealed, rename):
    assert services.seal() is None
    rename(sealed, "New")
    second, first = services.seal(), Seal.objects.get(number=1)
    said = json.loads(second.statement)
    assert said["previous"] == sha256(first.statement.encode()).hex() == first.digest
    assert (said["since"], second.row_count, list(said["tables"])) == (first.before, 1, [TABLE])


def test_a_database_whose_counter_was_set_back_is_refused(sealed, monkeypatch):
    monkeypatch.setattr(services, "horizon", lambda: 1)
    with pytest.raises(UserError, match="restored into another cluster"):
        services.seal()


def test_tables_of_many_blocks(sealed, tamper):
    """More rows than a block holds: the tree has several leaves, the last of which rises alone."""
    columns = ", ".join(
        column.name for column in canon.columns_of(canon.tables()[TABLE]) if column.name not in {"history_id", "transaction_id"}
    )
    tamper(
        f'INSERT INTO "{TABLE}" (history_id, transaction_id, {columns}) SELECT 10000 + n, (SELECT max(before) FROM moc_seal), {columns} '
        f'FROM (SELECT * FROM "{TABLE}" WHERE id = %s LIMIT 1) one, generate_series(1, 1200) n',
        sealed.edc.pk,
    )
    assert services.seal().row_count == 1200
    assert SealedBlock.objects.filter(seal=2).count() == 3 and list(verify()) == []
    tamper(f"UPDATE \"{TABLE}\" SET name = 'x' WHERE history_id IN (10300, 11199)")
    assert [(each.row, each.fields) for each in verify()] == [(10300, ("name",)), (11199, ("name",))]
    assert proofs.proof(actor=sealed.user("edc", "auditor"), table=TABLE, row=10301)["path"]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
def test_every_leaf_leads_to_the_root(count):
    hashes = [sha256(bytes([number])) for number in range(count)]
    assert {climb(leaf, path_to(hashes, at)) for at, leaf in enumerate(hashes)} == {root_of(hashes)}


def test_the_tree_is_that_of_rfc_6962():
    """Three leaves: the third stands beside the node of the first two."""
    one, two, three = (sha256(bytes([number])) for number in range(3))
    assert root_of([one, two, three]) == sha256(b"\x01" + sha256(b"\x01" + one + two) + three)


def test_another_key_signs_and_the_former_is_still_trusted(sealed, rename, settings):
    former = keys.public(keys.signing())
    settings.MOC_SEAL_KEY = keys.in_text(Ed25519PrivateKey.generate().private_bytes_raw())
    rename(sealed, "New")
    second = services.seal()
    assert second.key != Seal.objects.get(number=1).key
    assert [each.kind for each in verify()] == ["signature"]
    settings.MOC_SEAL_FORMER_KEYS = [keys.in_text(former)]
    assert list(verify()) == []


@pytest.mark.parametrize("text", ["not base64", "c2hvcnQ="])
def test_a_key_that_is_none_is_refused(settings, text):
    settings.MOC_SEAL_KEY = text
    with pytest.raises(ImproperlyConfigured, match="MOC_SEAL_KEY"):
        keys.signing()


@pytest.mark.parametrize(("model", "change"), [(Seal, "key"), (SealedTable, "root"), (SealedBlock, "last")])
def test_seals_are_neither_changed_nor_removed(sealed, model, change):
    for attempt in (lambda: model.objects.update(**{change: F(change)}), lambda: model.objects.all()._raw_delete("default")):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            attempt()
    assert model.objects.exists()


def test_who_may_seal_and_who_may_verify(world):
    """A regulator's auditor has everything verified; the operator's administrator seals."""
    with pytest.raises(NotPermitted):
        services.ask_verification(actor=world.user("edc", "administrator"))
    with pytest.raises(NotPermitted):
        services.ask_seal(actor=world.user("rerra", "administrator"))
    assert services.ask_verification(actor=world.user("rerra", "auditor")).task == services.VERIFYING
    assert services.ask_seal(actor=world.user("operator", "administrator")).task == services.SEALING


def test_jobs_seal_and_verify(sealed, rename, tamper):
    rename(sealed, "New")
    job = services.ask_seal(actor=sealed.user("operator", "administrator"))
    tasks.seal_now(job.pk)
    assert Job.objects.get(pk=job.pk).outcome == {"seal": 2, "rows": 1}
    tamper(f'DELETE FROM "{TABLE}" WHERE history_id = (SELECT min(history_id) FROM "{TABLE}")')
    job = services.ask_verification(actor=sealed.user("rerra", "auditor"))
    tasks.verify_all(job.pk)
    found = Verification.objects.get()
    assert (found.finding_count, found.findings[0]["kind"], found.job, found.last_seal_id) == (1, "removed", job, 2)
    assert Job.objects.get(pk=job.pk).outcome["findings"] == 1


def test_the_beat_and_the_command_seal(sealed, rename, capsys):
    rename(sealed, "New")
    assert tasks.seal_what_is_new() == 2
    rename(sealed, "Newer")
    call_command("seal")
    call_command("seal")
    assert capsys.readouterr().out == "Seal 3: 1 rows.\nNothing new to seal.\n"


def test_the_unsealed_window_is_shown(sealed, rename, capsys):
    rename(sealed, "New")
    call_command("verify")
    assert "Not sealed yet: 1 rows, written since " in capsys.readouterr().out


def test_without_seals_nothing_is_proven(world, capsys):
    """Also where somebody took all of them away."""
    call_command("verify")
    said = capsys.readouterr().out
    assert "There are no seals: nothing is proven." in said and "Everything is as it was sealed" not in said
