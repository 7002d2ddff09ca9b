"""The dependency audit: is a version in requirements.lock known to be vulnerable?"""

import json
import subprocess
from collections.abc import Mapping

from .bootstrap import ROOT, VENV, say

AUDIT = ("-r", "requirements.lock", "--require-hashes", "--disable-pip", "--vulnerability-service", "osv", "--timeout", "5")
AS_DATA = ("--format", "json", "--progress-spinner", "off", "--desc", "off")


def audit(environment: Mapping[str, str]) -> str | None:
    """Ask the vulnerability service about every locked package; its title if one is vulnerable. Out of reach, it says so and passes."""
    finished = subprocess.run(
        [VENV / "bin" / "pip-audit", *AUDIT, *AS_DATA], cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False
    )
    lines, failed = verdict(finished.stdout, finished.stderr)
    for line in ("\n$ pip-audit", *lines):
        say(line)
    return "pip-audit" if failed else None


def verdict(answer: str, complaint: str) -> tuple[list[str], bool]:
    """(what to say, whether that fails the run) about the tool's JSON, or about what it wrote when it had none."""
    try:
        packages = json.loads(answer)["dependencies"]
    except ValueError:
        if any(word in complaint for word in ("ConnectionError", "ServiceError", "Timeout")):
            return ["SKIPPED: the vulnerability service cannot be reached; no dependency was audited."], False
        return [*complaint.strip().splitlines()[-5:], "The audit itself failed."], True
    skipped = [each["name"] for each in packages if "skip_reason" in each]
    bad = [
        f"{each['name']} {each['version']}: {flaw['id']}, fixed in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for each in packages
        for flaw in each.get("vulns", ())
    ]
    told = [f"{len(packages) - len(skipped)} of {len(packages)} locked packages audited, {len(bad)} known vulnerabilities."]
    return [*bad, *([f"Not known to the service: {', '.join(skipped)}."] if skipped else []), *told], bool(bad)
