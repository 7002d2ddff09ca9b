"""The benchmark's file is what it says: right shape, bad exactly where named, the same every time."""

import csv
import hashlib
from collections import Counter

import pytest

from tests.scale import generator

ROWS = 20_000


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("scale") / "filing.csv"
    expected = generator.write_csv(path, rows=ROWS)
    with path.open(encoding="utf-8", newline="") as file:
        header, *records = csv.reader(file)
    return expected, header, dict(enumerate(records, start=2))


def test_shape(written):
    expected, header, records = written
    assert tuple(header) == generator.COLUMNS and len(set(header)) == 40
    assert len(records) == expected.rows == ROWS
    assert {len(cells) for row, cells in records.items() if row not in expected.bad} == {40}
    assert sum("\n" in cell for cells in records.values() for cell in cells) > ROWS // 30


def test_five_percent_are_bad_in_twenty_ways(written):
    expected = written[0]
    assert expected.by_kind() == dict.fromkeys((fault.kind for fault in generator.FAULTS), ROWS // 20 // 20)
    assert len(expected.by_kind()) == 20
    assert expected.good_rows == ROWS * 95 // 100


def test_every_bad_row_is_broken_as_named_and_no_good_row_is(written):
    expected, header, records = written
    broken_values = {fault.kind: fault for fault in generator.FAULTS if fault.values}
    for row, cells in records.items():
        values = dict(zip(header, cells))
        fault = broken_values.get(expected.bad.get(row))
        if fault:
            wanted = {column: value.replace(generator.KEY, f"{row - 1:07d}") for column, value in fault.values.items()}
            assert values | wanted == values and values["der_type"] in (fault.on, "perpetual_motion")
        elif row not in expected.bad:
            assert not any(values[column] == value for fault in broken_values.values() for column, value in fault.values.items() if value)
            assert all(values[column] for column in generator.REQUIRED)
            assert (values["usage_point_id"], int(values["utility_id_eia"])) == next(iter(_point(row - 1)))
    kinds = {kind: [records[row] for row, found in expected.bad.items() if found == kind] for kind in expected.by_kind()}
    assert {len(cells) for cells in kinds["too_many_cells"]} == {42}
    assert all("" in cells[: len(generator.REQUIRED)] for cells in kinds["missing_required"])


def _point(record: int):
    return [(generator.service_point_id(record), generator.UTILITIES[(record - 1) % 8])]


def test_duplicates_repeat_an_earlier_good_row_and_nothing_else_repeats(written):
    expected, header, records = written
    for column, kind in (("serial_no", "duplicate_serial"), ("external_id", "duplicate_external_id")):
        place = header.index(column)
        for row, found in expected.bad.items():
            if found == kind:
                assert expected.twins[row] < row and expected.twins[row] not in expected.bad
                assert records[row][place] == records[expected.twins[row]][place]
        others = Counter(cells[place] for row, cells in records.items() if expected.bad.get(row) != kind and cells[place])
        assert max(others.values()) == 1


def test_service_points_of_another_utility(written):
    expected, header, records = written
    utility_of = dict(generator.service_point_ids(ROWS))
    for row, cells in records.items():
        values = dict(zip(header, cells))
        belongs = str(utility_of.get(values["usage_point_id"])) == values["utility_id_eia"]
        elsewhere = ("service_point_of_another_utility", "unknown_service_point", "unknown_utility", "missing_required")
        assert belongs or expected.bad[row] in elsewhere
        assert not (belongs and expected.bad.get(row) in elsewhere[:3])


def test_the_same_every_time(written, tmp_path):
    expected = written[0]
    again = generator.write_csv(tmp_path / "again.csv", rows=ROWS)
    assert again.bad == expected.bad and again.twins == expected.twins

    def digest(path):
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    assert digest(again.path) == digest(expected.path)
    expected.save(tmp_path / "expected.json")
    assert generator.Expected.load(tmp_path / "expected.json") == expected
