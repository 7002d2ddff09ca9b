"""How the house is built: short files and functions, a sentence at every door, no trace of a machine."""

import ast
import re

import pytest

from tests.contracts.sources import PACKAGES, name, nodes, project_files, python_files, slices, tree, where

FILE_LINES, FUNCTION_LINES, ADMIN_LINES = 400, 40, 150
SLICE_FILES = (
    "__init__ models queries rules services reports forms filters tables serializers views api urls admin tasks "
    "queues datasets checks choices"
).split()
SLICE_FOLDERS = "sql services readers rules reports forms views api engine solver importers".split()
TEXTS = (".py", ".md", ".toml", ".html", ".txt", ".sql", ".css", ".js", ".json", ".yaml", ".yml", ".cfg", ".in", ".lock", "")
# folders that exist only on somebody's machine; in pieces, so that this file does not name them
MACHINE = re.compile("(?<![\\w.])/(?:" + "|".join(("wo" + "rk", "ro" + "ot", "tm" + "p", "ho" + "me", "Use" + "rs")) + ")/")
MACHINE_ALLOWED = {"requirements.lock"}


def functions(path):
    return [node for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(node) -> int:
    return node.end_lineno - node.lineno + 1


def test_files_stay_short():
    long = {name(path): lines for path in python_files() if (lines := path.read_text().count("\n")) >= FILE_LINES}
    assert not long


def test_functions_stay_short():
    long = {where(path, node): length(node) for path in python_files() for node in functions(path) if length(node) >= FUNCTION_LINES}
    assert not long


def test_admin_modules_of_slices_are_declarations():
    long = {
        name(folder / "admin.py") for folder in slices() if (folder / "admin.py").is_file() and _lines(folder / "admin.py") > ADMIN_LINES
    }
    assert not long


def _lines(path) -> int:
    return path.read_text().count("\n")


def test_every_module_says_what_it_is():
    exempt = {"__init__.py", "apps.py", "asgi.py", "wsgi.py"}
    silent = [
        name(path) for path in python_files() if path.name not in exempt and path.read_text().strip() and not ast.get_docstring(tree(path))
    ]
    assert not silent


def test_every_slice_says_in_a_sentence_what_it_is():
    silent = [name(folder) for folder in slices() if not (ast.get_docstring(tree(folder / "__init__.py")) or "").strip()]
    assert slices() and not [folder for folder in silent if not folder.endswith(("management", "templatetags"))]


def test_public_functions_and_classes_of_the_business_say_what_they_do():
    doors = [path for path in python_files(tests=False) if path.stem in {"services", "rules", "reports", "policy", "models"}]
    doors += [path for path in python_files(tests=False) if "services" in path.parts[:-1]]
    kinds = {True: ast.ClassDef, False: ast.FunctionDef | ast.ClassDef}  # in models.py the functions are abbreviations of fields
    silent = [
        where(path, node)
        for path in doors
        for node in tree(path).body
        if isinstance(node, kinds[path.stem == "models"]) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert not silent


@pytest.mark.parametrize("folder", [folder for folder in slices() if folder.parts[-2] != "moc"], ids=lambda folder: folder.name)
def test_slices_use_the_houses_file_names(folder):
    own = {"dictionary", "columns", "blanks", "personal"}  # the dictionary, a filing's columns made of it, empty tables, filed owners
    own |= {"endings", "inverters", "reasons"}  # records by which a dispute ends; an inverter's settings as data; why a limit is what it is
    own |= {
        "kinds",
        "change_rules",
        "switching",
        "membership",
        "involvement",
    }  # what submissions do, the rules on changes, a switch, who joins
    assert {path.stem for path in folder.glob("*.py")} <= {*SLICE_FILES, *own}
    assert {path.name for path in folder.iterdir() if path.is_dir()} <= {*SLICE_FOLDERS, "__pycache__"}


def test_models_are_written_in_slices():
    for path in python_files(tests=False):
        if path.name == "models.py" and len(path.parent.relative_to(path.parents[1]).parts) == 1 and path.parent.name in PACKAGES:
            classes = [node.name for node in tree(path).body if isinstance(node, ast.ClassDef)]
            assert not classes, name(path)


def test_no_save_override_and_no_signal():
    found = [
        where(path, node)
        for path in python_files(tests=False)
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.FunctionDef) and node.name == "save" and "models" in path.name)
        or (isinstance(node, ast.ImportFrom) and node.module in {"django.dispatch", "django.db.models.signals"})
    ]
    assert not found


def test_no_trace_of_a_machine():
    traces = [
        f"{name(path)}:{number}"
        for path in project_files()
        if path.suffix in TEXTS and name(path) not in MACHINE_ALLOWED and b"\0" not in path.read_bytes()[:1000]
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert not traces


def test_nothing_is_left_to_do():
    words = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
    assert not [name(path) for path in python_files() if words.search(path.read_text())]
