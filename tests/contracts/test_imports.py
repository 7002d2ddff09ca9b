"""Who may import whom, and the one place that asks for permissions."""

import ast
import re
import subprocess
import sys
import tomllib

from importlinter.cli import lint_imports

from tests.contracts.sources import ROOT, name, nodes, product, python_files, slices, where

ASKED = {"has_perm", "has_perms", "has_module_perms", "is_staff", "is_superuser", "user_passes_test", "permission_required"}
ANSWERS = {"moc/access/models.py"}  # where the user answers Django's own question
GUARDIAN = ("moc/access/", "moc/admin/", "moc/admin.py")


def contracts() -> list[dict]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def test_the_import_contracts_hold(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0, capsys.readouterr().out


def test_pages_need_no_solver_in_their_memory():
    """What every process of the web server loads leaves solvers and writers of Parquet, some 100 MB, to those who compute."""
    loads = (
        "import django; django.setup(); from django.urls import get_resolver; get_resolver().url_patterns; import sys; print(*sys.modules)"
    )
    loaded = set(subprocess.run([sys.executable, "-c", loads], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split())
    assert "moc.api" in loaded and not loaded & {"numba", "scipy", "highspy", "pyarrow", "opendssdirect", "lightgbm", "weasyprint"}


def test_every_slice_stands_in_a_layer():
    listed = {contract["id"]: " ".join(contract["layers"]) for contract in contracts() if "layers" in contract}
    layers = {contract: set(re.findall(r"[\w.]+", text)) for contract, text in listed.items()}
    free = {"moc.management", "moc.migrations", "moc.settings", "moc.templatetags"}
    for folder in slices():
        module = name(folder).replace("/", ".")
        package, _, slice_ = module.partition(".")
        if f"{package}-slices" in layers:
            assert slice_ in layers[f"{package}-slices"], module
        elif module not in free:
            assert module in layers["packages"], module


def test_every_slice_keeps_the_order_inside():
    (inside,) = (contract for contract in contracts() if contract["id"] == "inside-a-slice")
    with_models = {name(folder).replace("/", ".") for folder in slices() if (folder / "models.py").is_file()} - {"moc.access"}
    assert with_models <= set(inside["containers"])


def test_only_access_and_the_admin_know_guardian():
    found = [
        where(path, node)
        for path, node in product()
        if not name(path).startswith(GUARDIAN) and any(module.partition(".")[0] == "guardian" for module in _imported(node))
    ]
    assert not found


def _imported(node) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_nothing_but_the_policy_decides():
    found = [
        where(path, node)
        for path, node in product()
        if name(path) not in ANSWERS
        and ((isinstance(node, ast.Attribute) and node.attr in ASKED) or (isinstance(node, ast.Name) and node.id in ASKED))
    ]
    assert not found


def test_templates_ask_no_permissions():
    words = re.compile(r"\b(" + "|".join(sorted(ASKED)) + r")\b|\bperms\.")
    assert not [name(path) for path in ROOT.glob("templates/**/*.html") if words.search(path.read_text())]


def test_the_environment_is_read_once():
    """Settings read the environment at the top of base.py; the scaffolding makes it."""
    allowed = ("moc/settings/", "moc/up/", "moc/celery.py", "moc/asgi.py", "moc/wsgi.py", "manage.py")
    found = [
        where(path, node)
        for path, node in product()
        if not name(path).startswith(allowed) and isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]
    assert not found


def test_services_do_not_import_tasks():
    found = [
        name(path)
        for path in python_files(tests=False)
        if ("services" in path.parts or path.stem == "services")
        and any(module.endswith(".tasks") for node in nodes(path) for module in _imported(node))
    ]
    assert not found
