"""SQL stands in `sql/` files, moc/bulk.py, moc/history.py, the two files of row-level security and migrations, and nowhere else."""

import ast
import re

import pytest

from tests.contracts.sources import name, product, project_files, python_files, where

ALLOWED = {"moc/bulk.py", "moc/history.py", "moc/access/rowsecurity.py", "moc/database/base.py"}
# the scaffolding talks to a cluster before there is a Django; it is no part of the platform's processes
SCAFFOLDING = "moc/up/"
CALLS = {"cursor", "raw", "extra", "executemany", "mogrify"}
NAMES = {"RawSQL", "psycopg", "connections"}
STATEMENTS = [path for path in project_files() if path.suffix == ".sql" and not name(path).startswith("tests/")]


def test_no_raw_sql_elsewhere():
    found = [
        where(path, node)
        for path, node in product()
        if name(path) not in ALLOWED and not name(path).startswith(SCAFFOLDING) and _is_raw(node)
    ]
    assert not found


def _is_raw(node) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in CALLS
    if isinstance(node, ast.ImportFrom) and node.module == "psycopg":
        return [alias.name for alias in node.names] != ["sql"]  # composing fragments for run_sql is what psycopg.sql is for
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] in NAMES for alias in node.names)
    return isinstance(node, ast.ImportFrom) and any(alias.name in NAMES for alias in node.names)


@pytest.mark.parametrize("path", STATEMENTS, ids=name)
def test_a_statement_says_what_it_does_and_who_calls_it(path):
    what, who, *rest = path.read_text().splitlines()
    assert what.startswith("-- ") and what.rstrip().endswith(".")
    caller = re.match(r"-- Called by ([\w.]+)\.(\w+)", who)
    assert caller, "the second line names the caller"
    module = caller[1].replace(".", "/")
    sources = [each for each in python_files(tests=False) if name(each) in {f"{module}.py", f"{module}/__init__.py"}]
    assert sources and f"def {caller[2]}(" in sources[0].read_text(), caller[0]
    assert rest and path.parent.name == "sql"


@pytest.mark.parametrize("path", STATEMENTS, ids=name)
def test_a_statement_is_called_and_only_from_its_slice(path):
    callers = [each for each in python_files(tests=False) if re.search(rf'(run|fetch)_sql\(\s*"{path.stem}"', each.read_text())]
    assert callers and all(path.parents[1] in each.parents for each in callers)
