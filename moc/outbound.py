"""Calls to addresses that users name: https only, public addresses only, no redirects, bounded in time and size (against SSRF)."""

import ipaddress
import socket
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.poolmanager import PoolManager

MAX_BYTES, SECONDS = 2**20, 10
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Refused(requests.RequestException):
    """An address that we do not call."""


def may_call(url: str) -> bool:
    """Is this an https address without credentials in it? Where it leads is looked at when it is called."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


def public_address(host: str, port: int) -> str:
    """The address behind a name, if all of them are public (or the operator lists the host). Raises Refused."""
    try:
        found = [info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise Refused(f"{host} is unknown.") from error
    if host not in settings.MOC_OUTBOUND_PRIVATE_HOSTS and not all(_is_public(address) for address in found):
        raise Refused(f"{host} is not a public address.")
    return found[0]


def _is_public(text: str) -> bool:
    address = _reached(ipaddress.ip_address(text.partition("%")[0]))
    return address.is_global and not address.is_multicast


def _reached(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Where packets end: the IPv4 address inside one that a translator or tunnel takes (mapped, RFC 6052, 6to4)."""
    if address.version == 6 and address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address


class _Connection(HTTPSConnection):
    """Connects to the address that was looked at, and to no other that the name may stand for a moment later."""

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            self._dns_host = public_address(name, self.port)
            return super()._new_conn()
        except Refused as error:
            raise NewConnectionError(self, str(error)) from error
        finally:
            self._dns_host = name


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class _Guarded(HTTPAdapter):
    def init_poolmanager(self, *args, **kwargs) -> None:
        self.poolmanager = PoolManager(*args[:1], maxsize=1, block=False)
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool}

    def send(self, request, **kwargs):
        if not may_call(request.url):
            raise Refused("Only https addresses are called.")
        answer = super().send(request, **kwargs | {"stream": True, "timeout": SECONDS})
        if answer.is_redirect:
            raise Refused("The answer leads elsewhere.")
        body = answer.raw.read(MAX_BYTES + 1, decode_content=True)
        if len(body) > MAX_BYTES:
            raise Refused("The answer is too large.")
        answer._content, answer._content_consumed = body, True
        return answer


def session() -> requests.Session:
    """A session that calls what `may_call` and `public_address` allow; everything else raises requests.RequestException."""
    found = requests.Session()
    found.trust_env = False
    found.verify = settings.MOC_OUTBOUND_CA or True
    found.adapters.clear()
    found.mount("https://", _Guarded(max_retries=0))
    return found
