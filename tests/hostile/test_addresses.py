"""No address that a user gives leads the server into its own network (SSRF; N2)."""

import ast
import re
import socket
from pathlib import Path

import pytest
import requests
import urllib3.util.connection
from django.db import models

from moc import outbound
from moc.apps import own_models

ROOT = Path(__file__).parents[2]
NETWORK = {"requests", "httpx", "aiohttp", "urllib3", "urllib.request", "http.client", "socket", "ftplib", "smtplib"}
CALLERS = {
    "moc/outbound.py",
    "moc/accounts/openid.py",
    "moc/accounts/providers.py",
    "moc/webhooks/services.py",
}  # by the first one's session
WATCHERS = {"moc/up", "moc/health.py"}  # of the platform's own processes
INSIDE = (
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # where clouds hand out credentials
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%1",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",  # 127.0.0.1 behind NAT64
    "2002:7f00:1::",  # 127.0.0.1 as 6to4
)


def resolving(monkeypatch, *addresses: str) -> None:
    """Every name stands for these."""
    families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
    found = [(family, socket.SOCK_STREAM, 6, "", (address, 443)) for family, address in zip(families, addresses)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)


@pytest.mark.parametrize("address", INSIDE)
def test_no_name_leads_inside(monkeypatch, address):
    resolving(monkeypatch, address)
    with pytest.raises(outbound.Refused):
        outbound.public_address("provider.example", 443)


def test_one_inner_address_among_outer_ones_is_enough(monkeypatch):
    resolving(monkeypatch, "93.184.216.34", "10.0.0.1")
    with pytest.raises(outbound.Refused):
        outbound.public_address("provider.example", 443)
    resolving(monkeypatch, "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946")
    assert outbound.public_address("provider.example", 443) == "93.184.216.34"


@pytest.mark.parametrize(
    "url",
    [
        "http://provider.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "ftp://provider.example/",
        "https://",
        "https:///etc/passwd",
        "//provider.example/",
        "https://user:secret@provider.example/",
        "https://provider.example:0/",
        "https://[::1",
        "javascript:alert(1)",
    ],
)
def test_only_plain_https_is_called(url):
    assert not outbound.may_call(url)
    with pytest.raises(requests.RequestException):
        outbound.session().get(url)


def test_nothing_is_connected_to_when_a_name_leads_inside(monkeypatch):
    called = []
    monkeypatch.setattr(urllib3.util.connection, "create_connection", lambda *args, **kwargs: called.append(args))
    resolving(monkeypatch, "169.254.169.254")
    with pytest.raises(requests.RequestException):
        outbound.session().get("https://provider.example/.well-known/openid-configuration")
    assert called == []


def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch):
    """A name that stands for another address at the second look (DNS rebinding) changes nothing."""
    called = []

    def connect(address, *args, **kwargs):
        called.append(address)
        raise OSError("nobody there")

    monkeypatch.setattr(urllib3.util.connection, "create_connection", connect)
    resolving(monkeypatch, "93.184.216.34")
    with pytest.raises(requests.RequestException):
        outbound.session().get("https://provider.example/")
    assert called == [("93.184.216.34", 443)]


def test_addresses_that_users_give_are_known():
    """The website of an aggregator is shown as a link and never called."""
    given = {
        f"{model.__name__}.{field.name}"
        for model in own_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.URLField)
    }
    assert given == {"AggregatorRegistration.website", "SignInProvider.issuer", "Webhook.address"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return names


def test_nothing_else_connects_by_itself():
    others = []
    for package in ("moc", "registry", "operations", "market", "settlement"):
        for path in (ROOT / package).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            if name not in CALLERS and not name.startswith(tuple(WATCHERS)):
                others += [(name, module) for module in imported(path) & NETWORK]
    assert others == []
    used = {name: set(re.findall(r"\brequests\.(\w+)\(", (ROOT / name).read_text())) for name in CALLERS}
    assert used == {name: set() for name in CALLERS} | {"moc/outbound.py": {"Session"}}
