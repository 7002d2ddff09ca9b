"""The privacy gate (N7, N12): whoever combines what is shown, by any sums and differences, isolates no small group of customers.

The attacker here knows nothing of the gate: every set of hidden cells is tried, and linear algebra says whether its sum follows.
"""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moc.public.gate import Limits, Weight, suppress

RULE = Limits(15, 15)


def weight(*watts: int) -> Weight:
    """A cell of customers with these powers, each in this cell only."""
    return Weight(len(watts), sum(watts), max(watts, default=0), len(watts))


def table(cells: dict[tuple[str, str], list[int]]) -> dict[tuple[str, str], Weight]:
    """Cells with their totals."""
    whole: dict[tuple[str, str], list[int]] = {}
    for (row, column), watts in cells.items():
        for place in ((row, column), (row, ""), ("", column), ("", "")):
            whole.setdefault(place, []).extend(watts)
    return {place: weight(*watts) for place, watts in whole.items()}


def equations(places: list) -> np.ndarray:
    """Each row and each column of the table is an equation: its cells less its total are nothing."""
    found = []
    for axis in (0, 1):
        for name in {place[axis] for place in places}:
            line = [(-1 if place[1 - axis] == "" else 1) if place[axis] == name else 0 for place in places]
            found.append(line)
    return np.array(found, dtype=float)


def follows(hidden: list, chosen: set) -> bool:
    """Whether the sum of the chosen cells follows from the equations, in which all shown cells are known."""
    known = equations_of_hidden(hidden)
    wanted = np.array([1.0 if place in chosen else 0.0 for place in hidden])
    rank = np.linalg.matrix_rank(known, tol=1e-8)
    return np.linalg.matrix_rank(np.vstack([known, wanted]), tol=1e-8) == rank


def equations_of_hidden(hidden: list) -> np.ndarray:
    return equations(hidden)


def isolated(cells: dict, shown_and_hidden: dict, hidden: set) -> list:
    """The groups of too few customers, or with one that is too large, whose sum an attacker computes."""
    filled = sorted(place for place in hidden if shown_and_hidden[place].customers)
    base = [place for place in filled if "" not in place]
    found = []
    for size in range(1, min(len(base), 4) + 1):
        for chosen in combinations(base, size):
            watts = [each for place in chosen for each in cells[place]]
            small = not RULE.passes(weight(*watts))
            if small and follows(filled, set(chosen)):
                found.append(chosen)
    return found


@pytest.mark.parametrize(
    ("watts", "passes"),
    [
        ([10] * 14, False),  # 14 customers
        ([10] * 15, True),
        ([151] + [61] * 13 + [56], False),  # 15, one with 15.1 %
        ([150] + [61] * 13 + [57], True),  # 15.0 %
        ([], False),
    ],
)
def test_the_rule(watts, passes):
    """domain.md's own cases: 14 customers are suppressed; 15 with one at 15.1 % are."""
    assert RULE.passes(weight(*watts)) is passes


def test_a_single_hidden_cell_takes_others_with_it():
    """The total less the shown cells would be the hidden one: as many are hidden as it takes."""
    cells = {("a", "pv"): [10] * 40, ("b", "pv"): [10] * 30, ("c", "pv"): [10] * 3}
    weights = table(cells)
    hidden = suppress(weights, RULE)
    assert ("c", "pv") in hidden and len(hidden) > 1 and ("a", "pv") not in hidden
    assert not isolated(cells, weights, hidden)
    assert isolated(cells, weights, {("c", "pv"), ("c", "")}), "hidden alone it would follow from the totals"


def test_a_large_customer_is_not_told_by_subtraction():
    cells = {("a", "pv"): [10] * 400, ("b", "pv"): [2_000] + [10] * 30, ("c", "pv"): [10] * 5_000}
    weights = table(cells)
    hidden = suppress(weights, RULE)
    assert ("b", "pv") in hidden and not isolated(cells, weights, hidden)


def test_what_passes_is_shown():
    cells = {(row, column): [10] * 20 for row in "abc" for column in ("pv", "wind")}
    assert suppress(table(cells), RULE) == set()


def test_customers_in_several_cells_count_once():
    """Eight customers with photovoltaics and a battery are eight, however often they are counted."""
    cells = {("a", "pv"): [10] * 100, ("a", "storage"): [10] * 100, ("b", "pv"): [10] * 8, ("b", "storage"): [10] * 8}
    alone = table(cells)
    both = Weight(8, 80, 10, 4)
    twice = alone | {("b", "pv"): both, ("b", "storage"): both, ("b", ""): Weight(8, 160, 20, 8)}
    assert alone["b", ""].customers == 16 and ("b", "") not in suppress(alone, RULE)
    assert {("b", "pv"), ("b", "storage"), ("b", "")} < suppress(twice, RULE), "and something of a, that they do not follow"


def test_a_small_county_does_not_hide_the_state():
    cells = {(row, column): [10] * 200 for row in "abcdef" for column in ("pv", "storage")} | {("z", "pv"): [10] * 3}
    weights = table(cells)
    hidden = suppress(weights, RULE)
    assert ("z", "") in hidden and len(hidden) <= 6 and not isolated(cells, weights, hidden)


CELLS = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["pv", "wind", "other"])),
    st.lists(st.integers(1, 400), min_size=1, max_size=45),
    min_size=1,
)


@settings(max_examples=300, deadline=None)
@given(CELLS)
def test_no_combination_of_what_is_shown_isolates_few_customers(cells):
    """Differencing, by search: whatever the table."""
    weights = table(cells)
    hidden = suppress(weights, RULE)
    assert not isolated(cells, weights, hidden)
    assert all(RULE.passes(each) for place, each in weights.items() if each.customers and place not in hidden)


@settings(max_examples=150, deadline=None)
@given(CELLS, CELLS, st.integers(0, 2**32))
def test_two_publications_isolate_nobody_who_changed(before, after, seed):
    """The differences of what two publications show are a table too, of the customers who changed: the same search."""
    first, second = table(before), table(after)
    hidden = suppress(second, RULE) | suppress(first, RULE)
    changed: dict = {}
    for place in {*before, *after}:
        old, new = before.get(place, []), after.get(place, [])
        moved = [abs(x - y) for x, y in zip(old + [0] * len(new), new + [0] * len(old)) if x != y]
        if moved:
            changed[place] = moved
    changes = table(changed)
    kept = suppress(changes, RULE, frozenset(hidden & set(changes)))
    assert not isolated(changed, changes, kept)
