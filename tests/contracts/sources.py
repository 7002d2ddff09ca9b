"""The project's files, as the contract tests read them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASKED_ABOUT = (ast.Import, ast.ImportFrom, ast.Attribute, ast.Name, ast.Call, ast.FunctionDef, ast.AsyncFunctionDef)
PACKAGES = ("moc", "registry", "operations", "market", "settlement")


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return tuple(sorted(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()))


def name(path: Path) -> str:
    """The path as people write it."""
    return path.relative_to(ROOT).as_posix()


@cache
def python_files(*, tests: bool = True) -> tuple[Path, ...]:
    """The project's Python without migrations, which are generated."""
    return tuple(
        path
        for path in project_files()
        if path.suffix == ".py" and "migrations" not in path.parts and (tests or not name(path).startswith("tests/"))
    )


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """A file's syntax nodes of the kinds that tests ask about."""
    return tuple(node for node in ast.walk(tree(path)) if isinstance(node, ASKED_ABOUT))


def product() -> Iterator[tuple[Path, ast.AST]]:
    """The syntax nodes of the product's own code that are imports, names, calls or functions."""
    for path in python_files(tests=False):
        for node in nodes(path):
            yield path, node


def where(path: Path, node: ast.AST) -> str:
    return f"{name(path)}:{node.lineno}"


@cache
def slices() -> tuple[Path, ...]:
    """The folders of nouns: packages below a top-level package that hold code of their own."""
    found = {path.parent for path in python_files(tests=False) if path.name != "__init__.py" and path.parts[len(ROOT.parts)] in PACKAGES}
    return tuple(sorted(folder for folder in found if len(folder.relative_to(ROOT).parts) == 2 and (folder / "__init__.py").is_file()))
