"""Every requirement of the DOE tables is claimed by a slice, or stands in a list that only shrinks."""

import ast
import re

import pytest

from tests.contracts.sources import ROOT, name, slices, tree

REQUIRED = {f"{letter}{number}" for letter, count in (("R", 7), ("M", 12), ("O", 5), ("N", 13)) for number in range(1, count + 1)}
# Not yet due. Whoever claims one in a slice's docstring takes it out here; nothing is ever added.
NOT_YET = set("M1 M2 M3 M4 M5 M6 M9 M10 M11 M12 N5 N8".split())


# FERC Order 2222, by what the registry owes to each: a journey or a test names it
PARAGRAPHS = (130, 159, 160, 236, 238, 292, 296, 322, 336, 338, 352)


@pytest.mark.parametrize("paragraph", PARAGRAPHS)
def test_every_paragraph_is_named_by_a_test(paragraph):
    """In the docstring of a journey or of a test of the registry; ranges are written ¶159–160."""
    files = [*(ROOT / "tests" / "journeys").glob("test_*.py"), *(ROOT / "tests" / "registry").rglob("test_*.py")]
    texts = [ast.get_docstring(node) or "" for path in files for node in _documented(path)]
    assert any(paragraph in _paragraphs(text) for text in texts)


def _documented(path) -> list[ast.AST]:
    """The module and the tests of a file."""
    module = tree(path)
    return [module, *(node for node in module.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))]


def _paragraphs(text: str) -> set[int]:
    found = [(int(first), int(last or first)) for first, last in re.findall(r"¶(\d+)(?:[–-](\d+))?", text)]
    return {number for first, last in found for number in range(first, last + 1)}


def claims() -> dict[str, list[str]]:
    """requirement → the slices that claim it. A range is written R1-R3 or R1–R3."""
    found: dict[str, list[str]] = {}
    for folder in slices():
        text = ast.get_docstring(tree(folder / "__init__.py")) or ""
        text = re.sub(r"\b([RMON])(\d+)[-–]\1(\d+)\b", _spelled, text)
        for requirement in set(re.findall(r"\b[RMON]\d+\b", text)):
            found.setdefault(requirement, []).append(name(folder))
    return found


def _spelled(match: re.Match) -> str:
    return " ".join(f"{match[1]}{number}" for number in range(int(match[2]), int(match[3]) + 1))


def test_every_requirement_is_claimed_or_not_yet_due():
    assert REQUIRED - set(claims()) == NOT_YET


def test_only_requirements_are_claimed():
    assert set(claims()) <= REQUIRED
