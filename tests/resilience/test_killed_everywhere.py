"""kill -9 of the web worker, the task worker, its database connection or the whole server at every stage of a filing and a decision (N13).

The stages are found, not listed: each statement and each commit of the work. After each kill the database holds what it held before
the work or after one of its commits, nothing in between; and after the repetition what it holds when nobody is killed: nothing lost,
nothing twice.
"""

from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path

import pytest

from moc.access.models import Organization
from moc.history import acting
from tests.factories.filings import store_in
from tests.factories.world import build
from tests.resilience.kills import COMMIT, Database, end_connection, kill_process, run
from tests.resilience.server import kill, own_server
from tests.resilience.whole import whole
from tests.resilience.works import WORKS, Work

pytestmark = pytest.mark.django_db(transaction=True)
MOST = 4  # stages of each work that this run takes, spread from its first to its last commit; `make bench` takes all


@pytest.fixture
def _files(settings, tmp_path, monkeypatch) -> None:
    store_in(settings, tmp_path)
    settings.CELERY_TASK_ALWAYS_EAGER = False  # a job is run by the test
    monkeypatch.setattr("registry.submissions.services.staging.refresh", bool)  # due by how often rows were put back: no stage of the work


@pytest.fixture
def database(db):
    found = Database()
    yield found
    found.forget()


def sweep_the_stages(work: Work, strikes: Callable | Sequence, database: Database, most: int | None = None, mend: Callable = bool) -> int:
    """Kill the work at its stages; returns how many there are. It is repeated in a child too: what this process knows stays the same.

    Of several strikes each stage gets the next. `mend` makes good what the strike did to the machine. `most` takes so many of the stages
    around commits, None takes all stages.
    """
    turns = cycle([strikes] if callable(strikes) else strikes)
    before = database.state()
    database.keep()
    undisturbed = run(work.act, look=database.state)
    final, held = database.state(), [before, *undisturbed.states]
    assert undisturbed.ended and final == held[-1] and final != before, "the work does nothing"
    proven, left = [], final
    for number in _chosen(undisturbed.steps, most):
        stage, strike = undisturbed.steps[number - 1], next(turns)
        if left != before:
            database.put_back()
        killed = run(work.act, chosen=number, strike=strike)
        mend()
        assert killed.steps[number - 1] == stage, (number, stage, killed.steps[number - 1])
        assert not killed.ended or strike is not kill_process
        left = database.state()
        assert left in held, f"half-written when killed at step {number}, before {stage}: {_difference(left, held)}"
        whole()
        if left not in proven:
            assert run(work.again).ended, f"killed at step {number}, before {stage}: it cannot be repeated"
            proven.append(left)
            left = database.state()
            assert left == final, f"killed at step {number}, before {stage}: {_difference(left, [final])}"
    return len(undisturbed.steps)


def _chosen(steps: list[str], most: int | None) -> list[int]:
    """All stages; or some before a commit or just after one, spread over the work, the last one among them."""
    numbers = range(1, len(steps) + 1)
    if most is None:
        return list(numbers)
    around = [number for number in numbers if any(step.startswith(COMMIT) for step in steps[max(number - 2, 0) : number])]
    return around[:: -max(1, -(-len(around) // most))][::-1]


def _difference(left: dict, held: list[dict]) -> dict:
    """By table, how many rows there are and how many there might be."""
    tables = {table for state in (left, *held) for table in state}
    counts = {table: (len(left.get(table, ())), [len(state.get(table, ())) for state in held]) for table in sorted(tables)}
    return {table: count for table, count in counts.items() if any(left.get(table) != state.get(table) for state in held)}


@pytest.mark.parametrize("name", WORKS)
def test_a_kill_leaves_all_or_nothing_and_repeating_completes_it(name, database, _files, api_of):
    """The worker and its connection in turn; the last stage is the worker's in every other work."""
    strikes = (kill_process, end_connection) if list(WORKS).index(name) % 2 else (end_connection, kill_process)
    sweep_the_stages(WORKS[name](build(), api_of), strikes, database, MOST)


@pytest.mark.scale
@pytest.mark.parametrize("strike", [kill_process, end_connection])
@pytest.mark.parametrize("name", WORKS)
def test_every_stage(name, strike, database, _files, api_of, capsys):
    stages = sweep_the_stages(WORKS[name](build(), api_of), strike, database)
    with capsys.disabled():
        print(f"\n{name}: {strike.__name__} at each of {stages} stages")


def test_a_killed_server_has_all_or_nothing(_files, db, tmp_path, api_of):
    """PostgreSQL itself is killed around commits of a decision, and recovers."""
    sweep_with_server("decide", tmp_path, api_of, 2)


@pytest.mark.scale
@pytest.mark.parametrize("name", WORKS)
def test_every_stage_of_a_killed_server(name, _files, db, tmp_path, api_of, capsys):
    stages = sweep_with_server(name, tmp_path, api_of, 12)
    with capsys.disabled():
        print(f"\n{name}: kill_server at a dozen of {stages} stages")


def sweep_with_server(name: str, folder: Path, api_of, most: int) -> int:
    """The sweep on a server of its own."""
    with own_server(folder) as cluster:
        return sweep_the_stages(WORKS[name](build(), api_of), lambda: kill(cluster), Database(), most, mend=cluster.revive)


def rename(name: str) -> None:
    with acting(None, "system: test"):
        Organization.objects.filter(slug="edc").update(name=name)


def test_the_sweep_finds_what_happens_twice(database, world):
    """A repetition that does something else than complete the work is found."""
    with pytest.raises(AssertionError, match="killed at step"):
        sweep_the_stages(Work(lambda: rename("Done"), lambda: rename("Done again")), kill_process, database)


def test_the_sweep_finds_what_is_half_written(database, world):
    """Traces that are those of no commit of the work are found: here another connection writes a part of it."""

    def act() -> None:
        with database.direct() as direct:
            direct.execute("SELECT set_config('moc.reason', 'system: test', false)")
            direct.execute("UPDATE moc_user SET name = 'apart' WHERE email LIKE 'reviewer@edc.%'")
        rename("Done")

    with pytest.raises(AssertionError, match="half-written"):
        sweep_the_stages(Work(act, act), kill_process, database)
