"""The dependency audit says what it audited, fails on a known vulnerability only, and passes with a clear line when it can ask nobody."""

import json

from moc.up import audit

SOUND = {"name": "django", "version": "5.2.19", "vulns": []}
FLAWED = {"name": "old", "version": "1.0", "vulns": [{"id": "GHSA-1", "fix_versions": ["1.1"]}]}


def test_a_vulnerable_version_fails():
    lines, failed = audit.verdict(json.dumps({"dependencies": [SOUND, FLAWED]}), "")
    assert failed and lines == ["old 1.0: GHSA-1, fixed in 1.1", "2 of 2 locked packages audited, 1 known vulnerabilities."]


def test_what_the_service_does_not_know_is_named():
    lines, failed = audit.verdict(json.dumps({"dependencies": [SOUND, {"name": "own", "skip_reason": "none"}]}), "")
    assert not failed and lines == ["Not known to the service: own.", "1 of 2 locked packages audited, 0 known vulnerabilities."]


def test_without_a_service_it_is_skipped_and_says_so():
    lines, failed = audit.verdict("", "requests.exceptions.ConnectionError: Failed to resolve")
    assert not failed and lines[0].startswith("SKIPPED: the vulnerability service cannot be reached")


def test_a_broken_audit_fails():
    lines, failed = audit.verdict("", "usage: pip-audit\nerror: no such option")
    assert failed and "error: no such option" in lines


def test_the_locked_file_is_one_that_the_tool_reads(monkeypatch, capsys):
    monkeypatch.setattr(audit, "AS_DATA", (*audit.AS_DATA, "--dry-run"))
    assert audit.audit({"PATH": "/usr/bin:/bin", "HOME": "/nowhere"}) is None
    assert "0 known vulnerabilities" in capsys.readouterr().out
