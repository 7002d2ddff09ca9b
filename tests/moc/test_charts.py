"""The geometry of the charts: bars in proportion, scales that are round and cover the data, nothing lost."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc import charts

VALUES = st.lists(st.floats(min_value=0, max_value=1e12, allow_nan=False), max_size=60)


def share(text: str) -> float:
    assert text.endswith("%")
    return float(text[:-1])


def bars_of(*values):
    return charts.bar_chart([(f"row {place}", value) for place, value in enumerate(values)], identity="b", title="Capacity", unit="MW")


def columns_of(*values):
    return charts.column_chart(
        [(f"2018-{place:02}", value) for place, value in enumerate(values)], identity="c", title="By month", unit="MW"
    )


def test_bars_are_in_proportion_to_the_largest():
    chart = bars_of(200, Decimal("50"), 0)
    assert [bar.width for bar in chart.bars] == ["100%", "25%", "0%"]
    assert [bar.text for bar in chart.bars] == ["200", "50", "0"]


def test_bars_do_not_overlap_and_fit_the_height():
    chart = bars_of(*range(1, 9))
    ends = [float(bar.y) + float(bar.height) for bar in chart.bars]
    assert all(float(bar.text_y) > end for bar, end in zip(chart.bars[1:], ends, strict=False))
    assert ends[-1] <= float(chart.height)


def test_rows_beyond_the_top_are_added_up_and_never_lost():
    chart = charts.bar_chart([(str(place), 2) for place in range(40)], identity="b", title="Capacity", unit="MW", top=10)
    assert len(chart.bars) == 10
    assert chart.bars[-1].label == "31 others"
    assert sum(bar.value for bar in chart.bars) == 80


def test_a_row_may_carry_an_address():
    chart = charts.bar_chart([("Monmouth", 3, "/registry/ders/?county=34025"), ("Ocean", 1)], identity="b", title="Capacity", unit="MW")
    assert [bar.url for bar in chart.bars] == ["/registry/ders/?county=34025", ""]


@pytest.mark.parametrize("value", [-1, float("inf"), float("nan")])
def test_what_a_bar_cannot_show_is_refused(value):
    with pytest.raises(ValueError, match="a bar cannot show"):
        bars_of(value)


@pytest.mark.parametrize("build", [bars_of, columns_of])
def test_an_empty_chart_says_so(build):
    chart = build()
    assert chart.bars == ()
    assert chart.description == "Nothing to show."


def test_the_description_names_the_largest_and_the_sum():
    assert bars_of(200, 50).description == "2 values in MW, 250 in all; the largest is row 0 with 200."


@pytest.mark.parametrize(("maximum", "step"), [(0, 1), (22.3, 5), (100, 20), (0.013, 0.005), (1234567, 250000), (5, 1)])
def test_the_scale_has_round_steps(maximum, step):
    assert charts.nice_step(maximum) == pytest.approx(step)


@given(st.floats(min_value=1e-6, max_value=1e15))
def test_at_most_five_steps_cover_any_maximum(maximum):
    assert charts.nice_step(maximum) * 5 >= maximum * (1 - 1e-6)


@given(VALUES)
def test_columns_stay_inside_the_chart(values):
    chart = columns_of(*values)
    for bar in chart.bars:
        assert share(bar.x) + share(bar.width) <= 100.01
        assert float(bar.y) >= charts.PLOT_TOP - 0.01
        assert float(bar.y) + float(bar.height) == pytest.approx(float(chart.baseline), abs=0.02)


@given(VALUES.filter(len))
def test_the_scale_of_columns_ends_at_or_above_the_largest(values):
    top = float(columns_of(*values).ticks[-1].text.replace(",", ""))
    assert top >= max(values) * (1 - 1e-6)


def test_not_more_than_the_labels_that_fit_are_written():
    assert sum(bar.ticked for bar in columns_of(*range(48)).bars) == charts.COLUMN_LABELS
    assert all(bar.ticked for bar in columns_of(1, 2, 3).bars)


def test_a_series_keeps_its_gaps_and_its_clock():
    times = [datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=5 * step) for step in range(3)]
    series = charts.time_series(
        times, {"Power": [Decimal("1.5"), None, 2]}, identity="s", title="Power", unit="kW", zone="America/New_York"
    )
    assert series["data"] == {
        "times": [moment.timestamp() for moment in times],
        "labels": ["Power"],
        "looks": [0],
        "values": [[1.5, None, 2.0]],
        "unit": "kW",
        "zone": "America/New_York",
    }
    assert series["rows"][1] == (times[1], None)


@pytest.mark.parametrize(
    "labels, looks",
    [
        (["export limit", "import limit"], [0, 1]),
        (["Import", "Export"], [1, 0]),
        (["import limit"], [1]),
        (["measured", "export", "import"], [2, 0, 1]),
        (["least while exporting", "most while exporting", "least while importing"], [0, 2, 1]),
        (["forecast", "low", "high"], [0, 1, 2]),
    ],
)
def test_export_and_import_look_the_same_in_every_chart(labels, looks):
    assert charts.looks(labels) == looks


def test_no_line_is_drawn_over_hours_of_silence():
    times = [datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=minutes) for minutes in (0, 5, 10, 200, 205)]
    series = charts.time_series(times, {"Power": [1, 2, 3, 4, 5]}, identity="s", title="Power", unit="kW", zone="UTC")
    assert series["data"]["values"] == [[1, 2, 3, None, 4, 5]] and len(series["rows"]) == 5
    assert series["data"]["times"][3] == times[2].timestamp() + 300


def test_a_series_refuses_lines_of_another_length():
    with pytest.raises(ValueError, match="one value for each time"):
        charts.time_series([datetime(2026, 11, 1, tzinfo=UTC)], {"Power": []}, identity="s", title="Power", unit="kW", zone="UTC")
