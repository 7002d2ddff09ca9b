"""Check that one recorded row is under a signed seal. Needs Python 3.9 or newer and the package `cryptography`; nothing of the registry.

    python check_proof.py proof.json --key BASE64 [--seals seals.ndjson]

--key    a public key of the registry that you trust: from its page of seals, or from a copy that you kept.
--seals  the seals that you downloaded earlier: the proof's seal must stand among them, each holding the digest of the one before.

How a seal is made. A row's text is what PostgreSQL writes for ROW(column::text, …), in UTF-8; its leaf is the SHA-256 of that. The rows of
a period, by key, stand in blocks; a block's hash is SHA-256(02 ‖ SHA-256(hashes of its columns) ‖ leaves). Over the blocks of a table
stands a binary Merkle tree as in RFC 6962, whose nodes are SHA-256(01 ‖ left ‖ right). A seal's statement, JSON in UTF-8, names the
table's root, the digest of its column list and of the statement before it, and is signed with Ed25519.
"""

import argparse
import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIZE = 32  # bytes of a SHA-256


class Unproven(Exception):
    """The proof does not hold; the message says where."""


def sha256(data: bytes) -> bytes:
    """The digest that everything here is made of."""
    return hashlib.sha256(data).digest()


def block_hash(columns: bytes, leaves: bytes) -> bytes:
    """Of a block: the digest of its columns' hashes, and its leaves one after the other."""
    return sha256(b"\x02" + columns + leaves)


def root_of(hashes: list) -> bytes:
    """The root of the binary tree over hashes; one without a neighbour rises as it is (the shape of RFC 6962)."""
    level = list(hashes) or [sha256(b"")]
    while len(level) > 1:
        level = [sha256(b"\x01" + b"".join(level[at : at + 2])) if at + 1 < len(level) else level[at] for at in range(0, len(level), 2)]
    return level[0]


def path_to(hashes: list, index: int) -> list:
    """The neighbours on the way from one hash to the root: ["left" or "right", hash in hex]."""
    level, path = list(hashes), []
    while len(level) > 1:
        neighbour = index ^ 1
        if neighbour < len(level):
            path.append(["left" if neighbour < index else "right", level[neighbour].hex()])
        level = [sha256(b"\x01" + b"".join(level[at : at + 2])) if at + 1 < len(level) else level[at] for at in range(0, len(level), 2)]
        index //= 2
    return path


def climb(start: bytes, path: list) -> bytes:
    """The root that a hash and its neighbours lead to."""
    for side, neighbour in path:
        other = bytes.fromhex(neighbour)
        start = sha256(b"\x01" + (other + start if side == "left" else start + other))
    return start


def columns_digest(columns: list) -> str:
    """Of a table's column list, in hex."""
    return sha256(json.dumps(columns, separators=(",", ":")).encode()).hex()


def is_signed(statement: str, signature: str, public: bytes) -> bool:
    """Whether the statement bears the key's signature (base64)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(signature), statement.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def values_of(text: str) -> list:
    """The values of a composite literal of PostgreSQL's, None for NULL."""
    values, value, at, end = [], None, 1, len(text) - 1
    quoted = False
    while at < end:
        letter = text[at]
        if letter == '"' and quoted and text[at + 1] == '"':
            value, at = value + '"', at + 1
        elif letter == '"':
            quoted, value = not quoted, value or ""
        elif letter == "\\":
            value, at = (value or "") + text[at + 1], at + 1
        elif letter == "," and not quoted:
            values.append(value)
            value = None
        else:
            value = (value or "") + letter
        at += 1
    return [*values, value]


def check(proof: dict, trusted: bytes) -> dict:
    """The row by column, when the proof holds; otherwise raises Unproven."""
    statement, leaves = json.loads(proof["seal"]["statement"]), bytes.fromhex(proof["leaves"])
    if not is_signed(proof["seal"]["statement"], proof["seal"]["signature"], trusted):
        raise Unproven("The seal is not signed by the key that you trust.")
    sealed = statement["tables"].get(proof["table"])
    if sealed is None or sealed["columns"] != columns_digest(proof["columns"]):
        raise Unproven("The seal knows no such table, or other columns of it.")
    at = proof["position"] * SIZE
    if at < 0 or leaves[at : at + SIZE] != sha256(proof["row"].encode()):
        raise Unproven("The row is not the one that was sealed.")
    if climb(block_hash(bytes.fromhex(proof["column_hashes"]), leaves), proof["path"]).hex() != sealed["root"]:
        raise Unproven("The hashes do not lead to the root that was signed.")
    return dict(zip([name for name, _ in proof["columns"]], values_of(proof["row"])))  # noqa: B905 (Python 3.9)


def check_kept(proof: dict, lines: list) -> int:
    """How many kept seals there are, when they are a chain and the proof's seal is one of them; otherwise raises Unproven."""
    statements = [json.loads(line)["statement"] for line in lines if line.strip()]
    for former, statement in zip(statements, statements[1:]):  # noqa: B905 (Python 3.9)
        if json.loads(statement)["previous"] != sha256(former.encode()).hex():
            raise Unproven("The kept seals are no chain.")
    if proof["seal"]["statement"] not in statements:
        raise Unproven("The proof's seal is not among the seals that you kept.")
    return len(statements)


def main() -> int:
    """The command line: 0 when the proof holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof")
    parser.add_argument("--key", required=True)
    parser.add_argument("--seals")
    given = parser.parse_args()
    with open(given.proof, encoding="utf-8") as file:
        proof = json.load(file)
    try:
        row = check(proof, base64.b64decode(given.key))
        if given.seals:
            with open(given.seals, encoding="utf-8") as file:
                print(f"The seal stands among {check_kept(proof, file.readlines())} kept ones.")
    except (Unproven, KeyError, ValueError, TypeError) as error:
        print(f"NOT PROVEN: {error}")
        return 1
    statement = json.loads(proof["seal"]["statement"])
    print(f"PROVEN: this row of {proof['table']} stood in the registry when seal {statement['number']} was made, {statement['sealed_at']}.")
    for name, value in row.items():
        print(f"  {name}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
