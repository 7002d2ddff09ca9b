"""A small real OpenID provider on this machine: TLS, discovery, keys, codes with PKCE, signed tokens. It lies only where a test says so."""

import base64
import datetime
import hashlib
import ipaddress
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

CLIENT, SECRET = "moc", "a client secret"


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key, as files."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, kept = folder / "certificate.pem", folder / "key.pem"
    shown.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    kept.write_bytes(_pem(key))
    return shown, kept


def _pem(key) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@cache
def _keys() -> list:
    """Two keys, made once: making them takes longer than a test."""
    return [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


class Provider:
    """What the provider knows and says. `claims` go into the next tokens; `discovery` overrides its description of itself."""

    def __init__(self):
        self.key, self.other_key = _keys()
        self.issuer, self.claims, self.discovery, self.pages = "", {}, {}, {}
        self.codes: dict[str, dict] = {}
        self.calls: list[str] = []
        self.sign = lambda claims: jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "one"})

    def describe(self) -> dict:
        addresses = {name: f"{self.issuer}/{path}" for name, path in (("authorization_endpoint", "authorize"), ("token_endpoint", "token"))}
        more = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", "token_endpoint_auth_methods_supported": ["client_secret_basic"]}
        return addresses | more | self.discovery

    def keys(self) -> dict:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": "one", "alg": "RS256", "use": "sig"}]}

    def authorize(self, url: str) -> str:
        """A person signs in at `url`, where the platform sent their browser: the address that they are sent back to."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["client_id"] == CLIENT and asked["response_type"] == "code" and "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = urlsplit(asked["redirect_uri"])
        return f"{back.path}?{urlencode({'code': code, 'state': asked['state']})}"

    def exchange(self, body: dict, authorization: str) -> dict | None:
        """A token for a code, once, to the right client with the right verifier."""
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(body.get("code", ""), None)
        if asked is None or authorization != f"Basic {basic}" or asked["redirect_uri"] != body.get("redirect_uri"):
            return None
        challenge = base64.urlsafe_b64encode(hashlib.sha256(body["code_verifier"].encode()).digest()).decode().rstrip("=")
        if challenge != asked["code_challenge"]:
            return None
        now = int(time.time())
        own = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        said = {name: value for name, value in (own | self.claims).items() if value is not None}
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.sign(said)}


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.calls.append(self.path)
            pages = {"/.well-known/openid-configuration": provider.describe, "/keys": provider.keys}
            if self.path in provider.pages:
                self.answer(*provider.pages[self.path])
            elif self.path in pages:
                self.answer(200, json.dumps(pages[self.path]()), "application/json")
            else:
                self.answer(404, "", "text/plain")

        def do_POST(self) -> None:
            provider.calls.append(self.path)
            read = self.rfile.read(int(self.headers["Content-Length"])).decode()
            body = {name: values[0] for name, values in parse_qs(read).items()}
            token = provider.exchange(body, self.headers.get("Authorization", ""))
            self.answer(200 if token else 400, json.dumps(token or {"error": "invalid_grant"}), "application/json")

        def answer(self, status: int, body: str, kind: str, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args) -> None:
            """A test's provider is silent."""

    return Handler


@contextmanager
def running(certificate: Path, key: Path) -> Iterator[Provider]:
    """A provider that answers at its issuer, https://localhost:<port>."""
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    provider.issuer = f"https://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)  # how often it looks whether it shall end
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
