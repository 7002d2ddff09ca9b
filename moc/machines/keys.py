"""Public keys of machine clients: pasted as JWK Set, JWK or PEM; each has one algorithm, by its kind, and no private part."""

import json

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from moc.errors import UserError

ALGORITHMS = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}
READERS = (ECKey, RSAKey, OKPKey)
LONGEST, RSA_BITS = 20_000, 2048


def read(text: str) -> list[tuple[dict, str, str]]:
    """[(public key as JWK, algorithm, thumbprint)] of a pasted text.

    Raises UserError (KEY_UNREADABLE, KEY_PRIVATE, KEY_KIND) for a text without keys, with a private key, or with one of another kind than
    RSA of at least 2048 bits, EC P-256 or Ed25519.
    """
    found = [_checked(key) for key in _keys(text)]
    if not found or len({thumbprint for _, _, thumbprint in found}) != len(found):
        raise _unreadable()
    return found


def _keys(text: str) -> list[Key]:
    text = text.strip()
    if len(text) > LONGEST:
        raise _unreadable()
    if not text.startswith("{"):
        return [_from_pem(text)]
    try:
        given = json.loads(text)
        entries = given.get("keys", [given])
        return [import_key(entry) for entry in entries]
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _unreadable() from error


def _from_pem(text: str) -> Key:
    for reader in READERS:
        try:
            return reader.import_key(text)
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
    raise _unreadable()


def _checked(key: Key) -> tuple[dict, str, str]:
    if key.is_private:
        raise UserError(
            "This is a private key.", "Never send it to anybody; make a new pair, and paste the public key only.", "KEY_PRIVATE"
        )
    fits = (
        (isinstance(key, RSAKey) and key.raw_value.key_size >= RSA_BITS)
        or (isinstance(key, ECKey) and key.curve_name == "P-256")
        or (isinstance(key, OKPKey) and key.curve_name == "Ed25519")
    )
    if not fits:
        raise UserError("Keys are RSA of at least 2048 bits, EC P-256 or Ed25519.", "Make a new pair of one of these kinds.", "KEY_KIND")
    public = {name: value for name, value in key.as_dict(private=False).items() if name in {"kty", "crv", "x", "y", "n", "e", "kid"}}
    return public, ALGORITHMS[key.key_type], key.thumbprint()


def _unreadable() -> UserError:
    return UserError("No public key can be read here.", "Paste a JWK Set, a JWK, or a key in PEM.", "KEY_UNREADABLE")
