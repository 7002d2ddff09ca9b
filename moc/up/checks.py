"""`make test`, `make bench` and `make lock`: the commands that look at the code."""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .audit import audit
from .bootstrap import ROOT, VENV, run, say, step
from .environment import PYTHON, base_environment, database, manage
from .system import install_front_end, install_missing, missing_browser, missing_pango, npm_command, require_installed

TEMPLATES = [name for name in ("templates", "moc/templates", "registry/templates") if (ROOT / name).is_dir()]
LINTS: tuple[tuple[str, ...], ...] = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("lint-imports",),
    *((("djlint", "--lint", "--quiet", *TEMPLATES),) if TEMPLATES else ()),
)
PYTEST = (PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")  # a database per process, a file in one
UV = ("uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", "3.11", "--no-emit-index-url")


def lint(environment: Mapping[str, str] | None = None) -> list[str]:
    """Run every lint tool, also after a failure; the command lines that failed."""
    return _check_together(_lints(), environment or base_environment())


def _lints() -> list[list[str | Path]]:
    return [[VENV / "bin" / command[0], *command[1:]] for command in LINTS]


def test(arguments: Sequence[str]) -> int:
    """Everything that must hold before a change goes in; the exit code."""
    began = time.monotonic()
    require_installed(missing_pango)
    without_browser = install_missing(missing_browser)
    install_front_end()
    with database() as (environment, _cluster):
        environment["DJANGO_SETTINGS_MODULE"] = "moc.settings.test"
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # three processes read the tests: one compiles them for all
        schema = subprocess.Popen([PYTHON, "-m", "tests.database"], cwd=ROOT, env=dict(environment))  # what tests copy
        with ThreadPoolExecutor(1) as beside:
            audited = None if arguments else beside.submit(audit, environment)  # it waits for a network
            failed = _check_together([manage("makemigrations", "--check", "--dry-run"), *_lints()], environment)
            failed += [title for title in [audited and audited.result()] if title]
        failed += [title for title in [_check([*PYTEST, *arguments], environment)] if title]
        schema.wait()  # the first test that needs it has waited; if it failed, that says why
    if without_browser:
        say(f"{without_browser} Until then the journeys in a browser are skipped; in CI they fail.")
    for title in failed:
        say(f"FAILED: {title}")
    say(f"{'Failed' if failed else 'All passed'} after {time.monotonic() - began:.0f} s.")
    return 1 if failed else 0


def bench(arguments: Sequence[str]) -> int:
    """The benchmarks; the exit code."""
    install_front_end()
    with database() as (environment, _cluster):
        environment["DJANGO_SETTINGS_MODULE"] = "moc.settings.test"
        return 1 if _check([PYTHON, "-m", "pytest", "-s", "-m", "scale", "tests/scale", "tests/resilience", *arguments], environment) else 0


def _title(command: Sequence[str | Path]) -> str:
    return " ".join(str(part) for part in command).replace(f"{VENV / 'bin'}{os.sep}", "").replace(f"{ROOT}{os.sep}", "")


def _check(command: Sequence[str | Path], environment: Mapping[str, str]) -> str | None:
    """Run one tool on the terminal; its title if it failed."""
    title = _title(command)
    say(f"\n$ {title}")
    return title if subprocess.run(command, cwd=ROOT, env=dict(environment), check=False).returncode else None


def _check_together(commands: Sequence[Sequence[str | Path]], environment: Mapping[str, str]) -> list[str]:
    """Run tools beside each other, and say in their order what each said; the titles of those that failed."""

    def heard(command: Sequence[str | Path]) -> subprocess.CompletedProcess:
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.run(command, cwd=ROOT, env=dict(environment), check=False, **output)

    failed = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for command, finished in zip(commands, pool.map(heard, commands), strict=True):
            say(f"\n$ {_title(command)}\n{finished.stdout.rstrip()}")
            failed += [_title(command)] if finished.returncode else []
    return failed


def lock() -> int:
    """Write the three locks again, with hashes and without the address of any registry."""
    say("Resolving ...")
    uv = [VENV / "bin" / UV[0], *UV[1:], "--custom-compile-command", "make lock", "--upgrade"]
    with step("Python packages"):
        run([*uv, "--group", "dev", "pyproject.toml", "-o", "requirements.lock"], "uv")
        run([*uv, "requirements-node.in", "-o", "requirements-node.lock"], "uv-node")
    with step("Front-end packages"):
        run([*npm_command(), "install", "--package-lock-only", "--ignore-scripts"], "npm-lock", env=base_environment())
    path = ROOT / "package-lock.json"
    path.write_text(json.dumps(without_addresses(json.loads(path.read_text())), indent=2, ensure_ascii=False) + "\n")
    return 0


def without_addresses(value: object) -> object:
    """The lock without the fields that only tell where a package came from or who pays for it; npm needs neither."""
    if isinstance(value, dict):
        return {key: without_addresses(item) for key, item in value.items() if key not in {"resolved", "funding"}}
    return [without_addresses(item) for item in value] if isinstance(value, list) else value
