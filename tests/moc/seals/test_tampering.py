"""N4: what a database superuser does to sealed rows is found, and named. N12: the access log too."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from moc.accesslog.services import note
from moc.seals import canon, keys, services
from moc.seals.checker import root_of, sha256
from moc.seals.models import Seal, SealedBlock, SealedTable
from moc.seals.verification import verify
from tests.factories.world import World
from tests.moc.seals.conftest import TABLE, execute

ROWS = f'SELECT history_id FROM "{TABLE}" ORDER BY history_id'


@pytest.fixture
def sealed(under_seal) -> World:
    """All tests of this file begin with one seal."""
    return under_seal


def named(found) -> list[tuple]:
    return [(each.kind, each.table, each.row, each.fields) for each in found]


def first_two() -> tuple[int, int]:
    return tuple(key for (key,) in execute(f"{ROWS} LIMIT 2"))


def test_an_untouched_record_is_as_it_was_sealed(sealed):
    found = verify()
    assert (list(found), found.unsealed) == ([], 0) and found.rows == Seal.objects.get().row_count > 100


def test_an_altered_field_is_named(sealed, tamper):
    _, row = first_two()
    tamper(f'UPDATE "{TABLE}" SET legal_name = %s, slug = %s WHERE history_id = %s', "Another, Inc.", "x", row)
    assert named(verify()) == [("altered", TABLE, row, _in_order("slug", "legal_name"))]


def _in_order(*names: str) -> tuple[str, ...]:
    return tuple(column.name for column in canon.columns_of(canon.tables()[TABLE]) if column.name in names)


def test_a_value_that_became_null_is_named(sealed, tamper):
    row, _ = first_two()
    tamper(f'UPDATE "{TABLE}" SET history_change_reason = NULL WHERE history_id = %s', row)
    assert named(verify()) == [("altered", TABLE, row, ("history_change_reason",))]


def test_nulls_forced_into_a_column_that_has_none_are_named(sealed, tamper):
    """In one row of a block, then in all."""
    row, _ = first_two()
    tamper(f'ALTER TABLE "{TABLE}" ALTER slug DROP NOT NULL')
    for chosen in (f"history_id = {row}", "true"):
        tamper(f'UPDATE "{TABLE}" SET slug = NULL WHERE {chosen}')
        assert ("altered", TABLE, row, ("slug",)) in named(verify())


def test_who_wrote_and_when_are_sealed_too(sealed, tamper):
    row, _ = first_two()
    tamper(f"UPDATE \"{TABLE}\" SET history_date = history_date - interval '1 microsecond' WHERE history_id = %s", row)
    assert named(verify()) == [("altered", TABLE, row, ("history_date",))]


def test_a_removed_row_is_named(sealed, tamper):
    row, _ = first_two()
    tamper(f'DELETE FROM "{TABLE}" WHERE history_id = %s', row)
    assert named(verify()) == [("removed", TABLE, row, ())]


def test_all_rows_removed_are_named(sealed, tamper):
    rows = [key for (key,) in execute(ROWS)]
    tamper(f'DELETE FROM "{TABLE}"')
    assert named(verify()) == [("removed", TABLE, row, ()) for row in rows]


@pytest.mark.parametrize("key", [-7, 10**15])
def test_an_inserted_row_is_named(sealed, tamper, key):
    """Before all blocks or behind them, in a period that is sealed."""
    columns = ", ".join(column.name for column in canon.columns_of(canon.tables()[TABLE]) if column.name != "history_id")
    tamper(f'INSERT INTO "{TABLE}" (history_id, {columns}) SELECT %s, {columns} FROM "{TABLE}" ORDER BY history_id LIMIT 1', key)
    assert named(verify()) == [("inserted", TABLE, key, ())]


def test_a_row_inserted_among_others_and_one_removed_are_told_apart(sealed, tamper):
    """The count stays as it was."""
    first, second = first_two()
    tamper(f'UPDATE "{TABLE}" SET history_id = -1 WHERE history_id = %s', first)
    assert named(verify()) == [("removed", TABLE, first, ()), ("inserted", TABLE, -1, ())]


def test_two_rows_that_changed_places_are_named(sealed, tamper):
    first, second = first_two()
    for old, new in ((first, -1), (second, first), (-1, second)):
        tamper(f'UPDATE "{TABLE}" SET history_id = %s WHERE history_id = %s', new, old)
    found = verify()
    assert [(each.kind, each.row) for each in found] == [("altered", first), ("altered", second)]
    assert {"name", "slug", "id"} <= set(found[0].fields) and "history_id" not in found[0].fields


def test_rows_that_only_lie_elsewhere_in_the_file_are_the_same(sealed, tamper):
    """An update to the same values writes the row anew at the end of the table."""
    tamper(f'UPDATE "{TABLE}" SET name = name WHERE history_id = %s', first_two()[0])
    assert named(verify()) == []


def test_a_row_moved_to_another_transaction_is_named(sealed, tamper):
    row, _ = first_two()
    tamper(f'UPDATE "{TABLE}" SET transaction_id = transaction_id + 1000000 WHERE history_id = %s', row)
    found = verify()
    assert (named(found), found.unsealed) == ([("removed", TABLE, row, ())], 1)


def test_the_access_log_is_sealed(look, tamper):
    tamper("UPDATE moc_accessentry SET purpose = 'legal' WHERE id = %s", look.pk)
    assert named(verify()) == [("altered", "moc_accessentry", look.pk, ("purpose",))]


@pytest.fixture
def look(sealed, later):
    entry = note(actor=None, holder=sealed.edc.pk, filed_by=None, record="A DER", subject=None, columns=["name"], purpose="account")
    later("moc_accessentry", "id")
    services.seal()
    return entry


def test_altered_rows_with_their_hashes_altered_too_do_not_pass(sealed, tamper):
    """Whoever re-hashes block and table must still sign."""
    row, _ = first_two()
    tamper(f"UPDATE \"{TABLE}\" SET name = 'Another' WHERE history_id = %s", row)
    rehash(tamper)
    found = verify()
    assert {each.kind for each in found} == {"seal", "altered"} and {each.table for each in found} == {TABLE}


def test_a_seal_made_anew_with_another_key_does_not_pass(sealed, tamper):
    row, _ = first_two()
    tamper(f"UPDATE \"{TABLE}\" SET name = 'Another' WHERE history_id = %s", row)
    rehash(tamper)
    wrong = Ed25519PrivateKey.generate()
    resign(tamper, wrong, keys.identity(keys.public(wrong)))
    assert [(each.kind, each.seal) for each in verify()] == [("signature", 1)]
    resign(tamper, wrong, keys.identity(keys.public(keys.signing())))
    assert [(each.kind, each.seal) for each in verify()] == [("signature", 1)]


def test_a_seal_made_anew_with_the_right_key_is_found_by_a_kept_file(sealed, tamper, tmp_path):
    kept = tmp_path / "seals.ndjson"
    kept.write_text(json.dumps(services.published(Seal.objects.get())) + "\n")
    call_command("verify", kept=kept)
    row, _ = first_two()
    tamper(f"UPDATE \"{TABLE}\" SET name = 'Another' WHERE history_id = %s", row)
    rehash(tamper)
    resign(tamper, keys.signing(), keys.identity(keys.public(keys.signing())))
    call_command("verify")
    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify", kept=kept)


def rehash(tamper) -> None:
    """Hash the altered table again, as its seal would have been."""
    stored = SealedTable.objects.get(table=TABLE)
    columns, seal = [canon.Column(*each) for each in stored.columns], Seal.objects.get()
    for block in canon.read_blocks(canon.tables()[TABLE], columns, 1, json.loads(seal.statement), range(1000)):
        tamper(
            'UPDATE moc_sealedblock SET leaves = %s, fields = %s, hash = %s WHERE seal_id = 1 AND "table" = %s AND number = %s',
            block.leaves,
            block.fields,
            block.hash,
            TABLE,
            block.number,
        )
    hashes = [bytes(each) for each in SealedBlock.objects.filter(table=TABLE).order_by("number").values_list("hash", flat=True)]
    tamper('UPDATE moc_sealedtable SET root = %s WHERE "table" = %s', root_of(hashes).hex(), TABLE)


def resign(tamper, key: Ed25519PrivateKey, name: str, **beside) -> None:
    """Write and sign the seal's statement anew, with what else it is to say."""
    said = json.loads(Seal.objects.get().statement) | beside
    said["tables"][TABLE]["root"], said["key"] = SealedTable.objects.get(table=TABLE).root, name
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    values = (text, base64.b64encode(key.sign(text.encode())).decode(), name, sha256(text.encode()).hex())
    tamper("UPDATE moc_seal SET statement = %s, signature = %s, key = %s, digest = %s", *values)


@pytest.fixture
def three(sealed, rename):
    """Three seals of the same world."""
    for name in ("Second", "Third"):
        rename(sealed, name)
        services.seal()
    return sealed


def take_away(tamper, number: int) -> None:
    for table, key in (("moc_sealedblock", "seal_id"), ("moc_sealedtable", "seal_id"), ("moc_seal", "number")):
        tamper(f"DELETE FROM {table} WHERE {key} = %s", number)


def test_a_missing_seal_is_found(three, tamper):
    take_away(tamper, 2)
    found = verify()
    assert ("chain", 3) in {(each.kind, each.seal) for each in found}
    assert "inserted" in {each.kind for each in found}  # its rows stand in no block that is signed for


def test_the_last_seal_taken_away_is_found_by_a_kept_file_only(three, tamper):
    lines = [json.dumps(services.published(each)) for each in Seal.objects.order_by("number")]
    take_away(tamper, 3)
    found = verify()
    assert (list(found), found.unsealed) == ([], 1)
    assert [(each.kind, each.seal) for each in verify(kept=lines)] == [("kept", 3)]


def test_seals_in_another_order_are_found(three, tamper):
    tamper("UPDATE moc_seal SET number = 9 WHERE number = 2")
    tamper("UPDATE moc_seal SET number = 2 WHERE number = 3")
    tamper("UPDATE moc_seal SET number = 3 WHERE number = 9")
    assert {"chain", "seal"} <= {each.kind for each in verify()}


def test_what_stands_beside_a_statement_is_compared_with_it(sealed, tamper):
    tamper("UPDATE moc_seal SET before = before + 5, sealed_at = now() - interval '1 day'")
    assert [(each.kind, each.fields) for each in verify()] == [("seal", ("before", "sealed_at"))]


def test_an_altered_list_of_columns_is_found(sealed, tamper):
    tamper('UPDATE moc_sealedtable SET columns = columns - 2 WHERE "table" = %s', TABLE)
    assert [(each.kind, each.table) for each in verify()] == [("seal", TABLE)]


def test_a_kept_hash_that_was_altered_is_found_and_the_rows_are_proven_all_the_same(sealed, tamper):
    tamper("UPDATE moc_sealedblock SET hash = sha256('x') WHERE \"table\" = %s AND number = 0", TABLE)
    assert named(verify()) == [("seal", TABLE, None, ())]


def test_a_new_column_leaves_old_seals_good(sealed, tamper):
    tamper(f"ALTER TABLE \"{TABLE}\" ADD COLUMN later text DEFAULT 'x'")
    assert list(verify()) == []


def test_seals_of_the_former_format_are_verified_as_they_were_made(sealed, rename, tamper, monkeypatch):
    """A seal says how the digests of its columns were made."""
    monkeypatch.setattr(canon, "FORMAT", "moc-seal-1")
    rename(sealed, "Second")
    services.seal()
    assert [json.loads(each.statement)["format"] for each in Seal.objects.order_by("number")] == ["moc-seal-2", "moc-seal-1"]
    monkeypatch.setattr(canon, "FORMAT", "moc-seal-2")
    assert not verify()
    [[row]] = execute(f'SELECT max(history_id) FROM "{TABLE}"')
    tamper(f"UPDATE \"{TABLE}\" SET slug = 'x' WHERE history_id = %s", row)
    assert named(verify()) == [("altered", TABLE, row, ("slug",))]


def test_a_format_that_is_not_known_is_said(sealed, tamper):
    resign(tamper, keys.signing(), keys.identity(keys.public(keys.signing())), format="moc-seal-9")
    assert {each.sentence for each in verify()} == {"Seal 1 is of a format that is not known here: moc-seal-9."}


def test_a_column_that_is_gone_is_said(sealed, tamper):
    tamper(f'ALTER TABLE "{TABLE}" DROP COLUMN legal_name CASCADE')
    assert named(verify()) == [("lost", TABLE, None, ("legal_name",))]


def test_the_command_names_what_was_altered(sealed, tamper, capsys):
    row, _ = first_two()
    tamper(f"UPDATE \"{TABLE}\" SET name = 'Another' WHERE history_id = %s", row)
    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify")
    said = capsys.readouterr().out
    assert f"Row {row} of {TABLE} was altered after it was sealed (seal 1). Fields: name." in said
