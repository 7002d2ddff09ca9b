"""What is installed is locked by digest, from no particular address, and every dependency has its reason."""

import json
import re
import tomllib

import pytest

from tests.contracts.sources import ROOT

LOCKS = ["requirements.lock", "requirements-node.lock", "package-lock.json"]
REQUIREMENT = re.compile(r"^([a-z0-9][\w.-]*)(\[[\w,]+\])?==", re.MULTILINE)


def locked(lock: str) -> set[str]:
    return {match[1].lower() for match in REQUIREMENT.finditer((ROOT / lock).read_text())}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text and "index-url" not in text and '"resolved"' not in text


@pytest.mark.parametrize("lock", LOCKS[:2])
def test_every_locked_package_has_its_digests(lock):
    blocks = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)
    packages = [block for block in blocks if REQUIREMENT.match(block)]
    assert packages and all("--hash=sha256:" in block for block in packages)


def test_every_front_end_package_has_its_digest():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all(facts.get("integrity", "").startswith("sha512-") for path, facts in packages.items() if path)


def test_every_dependency_is_locked_and_has_its_reason():
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)
    for wanted in [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]:
        package = re.match(r"[\w.-]+", wanted)[0].lower().replace(".", "-")  # as an index spells it
        assert package in locked("requirements.lock"), package
        assert re.search(rf'^  "{re.escape(wanted)}", +# \w.+$', text, re.MULTILINE), f"{wanted} needs a reason"
