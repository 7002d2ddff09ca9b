"""What public pages show: published figures as tables, charts and a map of tiles; who takes part; the law in force.

Read as the engine: strangers have no sight, and nothing here is more than what is public.
"""

import csv
from decimal import Decimal
from functools import cache as once
from pathlib import Path

from django.core.cache import cache
from django.db.models import Max
from django.utils import timezone

from moc import charts, sight
from moc.access.models import Organization
from moc.public.models import Publication, PublishedCell
from moc.rulesets.models import RuleSet
from registry.aggregations.models import Aggregation
from registry.aggregators.models import AggregatorRegistration
from registry.catalogue.models import GridService
from registry.ders.choices import CustomerSector, Technology
from registry.grid.models import County

TILES = Path(__file__).parent / "data" / "tiles.csv"
TILE_WIDTH, TILE_HEIGHT, GAP, SHADES, WIDE = 132, 74, 6, 5, 6
KEPT_SECONDS = 7 * 24 * 3600
Cube = PublishedCell.Cube


def _kept(name: str, stamp: object, make):
    """What `make` gives, kept until `stamp` (what it was made of) is another."""
    key = f"public:{name}:{stamp}".replace(" ", "")
    found = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, KEPT_SECONDS)
    return found


@sight.engine()
def dashboard(technology: str = "") -> dict:
    """The state in figures, as of the last publication; the map of one technology, or of all. Kept until the next publication."""
    last = Publication.objects.first()
    if last is None:
        return {"publication": None}
    known = _kept("technologies", last.pk, lambda: _technologies(_cells())) if technology else []
    chosen = technology if technology in known else ""
    return {"publication": last} | _kept(f"dashboard:{chosen}", last.pk, lambda: _dashboard(_cells(), chosen))


def _dashboard(cells: dict, chosen: str) -> dict:
    return {
        "total": cells.get((Cube.PLACE, "", "")),
        "technologies": [(code, Technology(code).label) for code in _technologies(cells)],
        "chosen": chosen,
        "map": tiles({row: cell for (cube, row, column), cell in cells.items() if cube == Cube.PLACE and row and column == chosen}),
        "chart": _chart(cells),
        "tables": [_table(cells, Cube.PLACE), _table(cells, Cube.PARTY)] if cells else [],
    }


def _technologies(cells: dict) -> list[str]:
    """The technologies of the state's table."""
    return sorted({column for cube, row, column in cells if cube == Cube.PLACE and column and not row})


def _cells() -> dict[tuple[str, str, str], tuple[int | None, Decimal | None]]:
    values = PublishedCell.objects.values_list("cube", "row", "column", "customers", "nameplate_ac_kw")
    return {(cube, row, column): (customers, kw) for cube, row, column, customers, kw in values}


def _chart(cells: dict) -> charts.Chart:
    rows = [
        (Technology(column).label, float(kw) / 1000)
        for (cube, row, column), (_, kw) in cells.items()
        if cube == Cube.PLACE and column and not row and kw is not None
    ]
    rows.sort(key=lambda pair: -pair[1])
    return charts.bar_chart(rows, identity="public-technology", title="Capacity by technology", unit="MW", category="Technology")


def _names(cube: str) -> tuple[dict, dict]:
    """What rows and columns of a table are called."""
    if cube == Cube.PLACE:
        return dict(County.objects.values_list("fips", "name")), {}
    return dict(Organization.objects.filter(kind="edc").values_list("slug", "name")), dict(CustomerSector.choices)


def _table(cells: dict, cube: str) -> dict:
    """A table with totals: {title, head, columns, lines: [(name, anchor, cells)]}; a cell is (customers, MW), None where hidden."""
    rows, columns = _names(cube)
    mine = {(row, column): cell for (of, row, column), cell in cells.items() if of == cube}
    codes = sorted({column for _, column in mine if column})
    order = sorted({row for row, _ in mine if row}, key=lambda row: rows.get(row, row))
    lines = [
        (rows.get(row, row) if row else "State", row or "all", [mine.get((row, code)) for code in [*codes, ""]]) for row in [*order, ""]
    ]
    heads = [columns.get(code) or Technology(code).label for code in codes]
    return {
        "title": Cube(cube).label,
        "head": Cube(cube).label.partition(" and ")[0],
        "columns": [*heads, "All"],
        "lines": [(name, anchor, [_shown(cell) for cell in line]) for name, anchor, line in lines],
    }


def _shown(cell: tuple | None) -> dict:
    """A cell as a page says it: nothing there, hidden, or its figures in MW."""
    if cell is None:
        return {"empty": True}
    customers, kw = cell
    return {"hidden": True} if kw is None else {"customers": customers, "mw": kw / 1000}


@once
def _layout() -> dict[str, tuple[int, int]]:
    """Where a county's tile stands, of the state whose layout the platform carries."""
    with TILES.open(encoding="utf-8", newline="") as file:
        return {row["county_fips"]: (int(row["column"]), int(row["row"])) for row in csv.DictReader(file)}


def tiles(cells: dict[str, tuple]) -> dict:
    """A map of tiles, one for each county of a published figure, shaded by capacity: no tile server, no geometry of others.

    Counties without a place in our layout follow below it in rows, by name.
    """
    names = dict(County.objects.filter(fips__in=cells).order_by("name").values_list("fips", "name"))
    layout, largest = _layout(), max((float(kw) for _, kw in cells.values() if kw is not None), default=0.0) or 1.0
    below = max((layout[fips][1] for fips in names if fips in layout), default=-1) + 1
    places, number = {}, 0
    for fips in names:
        if fips in layout:
            places[fips] = layout[fips]
        else:
            places[fips], number = (number % WIDE, below + number // WIDE), number + 1
    found = [_tile(fips, names[fips], *places[fips], cells[fips], largest) for fips in names]
    columns, rows = (max((place[axis] for place in places.values()), default=0) + 1 for axis in (0, 1))
    return {"tiles": found, "width": columns * (TILE_WIDTH + GAP), "height": rows * (TILE_HEIGHT + GAP)}


def _tile(fips: str, name: str, column: int, row: int, cell: tuple, largest: float) -> dict:
    kw = cell[1]
    shade = 0 if kw is None else 1 + min(SHADES - 1, int(SHADES * float(kw) / largest))
    x, y = column * (TILE_WIDTH + GAP), row * (TILE_HEIGHT + GAP)
    figure = "not shown" if kw is None else f"{charts.plain(float(kw) / 1000)} MW"
    short = name.removesuffix(" County")
    return {
        "anchor": fips,
        "name": short,
        "figure": figure,
        "shade": shade,
        "x": x,
        "y": y,
        "text_x": x + 10,
        "name_y": y + 30,
        "figure_y": y + 54,
    }


@sight.engine()
def participants() -> list[dict]:
    """Registered aggregators and the services in which their registered aggregations take part."""
    stamp = (_latest(AggregatorRegistration), _latest(Aggregation))
    return _kept("participants", stamp, _participants)


def _participants() -> list[dict]:
    services = dict(GridService.objects.values_list("code", "name"))
    offered: dict[int, set[str]] = {}
    for aggregator, codes in Aggregation.objects.filter(status="registered").values_list("aggregator_id", "services"):
        offered.setdefault(aggregator, set()).update(codes)
    rows = AggregatorRegistration.objects.filter(status="registered", aggregator__is_active=True)
    rows = rows.values("aggregator_id", "aggregator__name", "rerra__name", "registered_on", "website").order_by("aggregator__name")
    return [
        {
            "name": row["aggregator__name"],
            "regulator": row["rerra__name"],
            "registered_on": row["registered_on"],
            "website": row["website"],
            "services": sorted(services[code] for code in offered.get(row["aggregator_id"], ()) if code in services),
        }
        for row in rows
    ]


@sight.engine()
def rules() -> list[dict]:
    """Every row of the law in force today, with its source."""
    today = timezone.localdate()
    columns = ("key", "authority", "value", "unit", "valid_during", "source", "verified")
    stamp = (_latest(RuleSet), today)
    rows = RuleSet.objects.on(today).order_by("key", "authority").values(*columns)
    return _kept("rules", stamp, lambda: [_in_words(row) for row in rows])


def _in_words(row: dict) -> dict:
    """Numbers are told with their unit; of a switch, a code or a list the unit only says what it is."""
    values = row["value"] if isinstance(row["value"], list) else [row["value"]]
    return row | {"is_measured": all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)}


def _latest(model) -> int:
    return model.history.aggregate(latest=Max("history_id"))["latest"] or 0


@sight.engine()
def open_data() -> list[tuple]:
    """The rows of the open data file: table, row, what it is called, column, what it is called, customers, kW, counted on, why hidden."""
    found = []
    for cube in Cube.values:
        rows, columns = _names(cube)
        for cell in PublishedCell.objects.filter(cube=cube):
            label = columns.get(cell.column) or (Technology(cell.column).label if cell.column else "all")
            what = (cube, cell.row, rows.get(cell.row, "all"), cell.column, label)
            counted = timezone.localdate(cell.read_at)
            found.append((*what, cell.customers, cell.nameplate_ac_kw, counted, "" if cell.shown else "too few customers"))
    return found


DICTIONARY = (
    ("figures.csv", "table", "text", "place: county and technology; party: utility and customer sector"),
    ("figures.csv", "row", "text", "county by FIPS code, or utility by its short name; empty: the whole state"),
    ("figures.csv", "row_name", "text", "what the row is called"),
    ("figures.csv", "column", "text", "technology or customer sector by its code; empty: all"),
    ("figures.csv", "column_name", "text", "what the column is called"),
    ("figures.csv", "customers", "number", "service points with registered DERs; empty where hidden"),
    ("figures.csv", "nameplate_ac_kw", "kW", "sum of nameplate AC of registered DERs, decommissioned ones left out; empty where hidden"),
    ("figures.csv", "counted_on", "day", "when it was counted; a figure is counted again once enough customers have changed"),
    ("figures.csv", "hidden", "text", "why there is no figure"),
    ("aggregators.csv", "aggregator", "text", "a registered aggregator"),
    ("aggregators.csv", "regulator", "text", "who registered it"),
    ("aggregators.csv", "registered_on", "day", "since when"),
    ("aggregators.csv", "services", "text", "in which its registered aggregations take part, by semicolons"),
    ("rules.csv", "key", "text", "what the rule is about"),
    ("rules.csv", "authority", "text", "market or regulator by its short name; empty: for all"),
    ("rules.csv", "value", "JSON", "the number, switch or text in force"),
    ("rules.csv", "unit", "text", "its unit"),
    ("rules.csv", "source", "text", "where it is from"),
    ("rules.csv", "verified", "true or false", "whether a person has checked it against its source"),
)


def file_of(name: str) -> list[tuple] | None:
    """The rows of an open data file, its header first; None for no such file."""
    if name == "dictionary":
        return [("file", "column", "type", "what it is"), *DICTIONARY]
    head = tuple(column for file, column, _, _ in DICTIONARY if file == f"{name}.csv")
    makers = {
        "figures": open_data,
        "aggregators": lambda: [(row["name"], row["regulator"], row["registered_on"], row["services"]) for row in participants()],
        "rules": lambda: [tuple(row[column] for column in head) for row in rules()],
    }
    return [head, *makers[name]()] if name in makers else None
