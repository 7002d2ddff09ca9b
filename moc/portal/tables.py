"""Tables are declarations: a column names the lookup that it shows, and only those lookups are selected."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """One column: `name` is a lookup ("edc__name"). `value` computes from the row's dict instead, of the lookups it `needs`.

    `kind` is how a cell is written (status, code, deadline, megawatts; empty: by its type); `sort` names the ascending and
    "-" + `sort` the descending sort of the view that this column's heading offers.
    """

    name: str
    label: str
    kind: str = ""
    numeric: bool = False
    choices: Callable | None = None  # code → what has a label: TextChoices, or a class like it
    value: Callable[[dict], object] | None = None
    needs: tuple[str, ...] = ()
    url: Callable[[dict], str] | None = None
    sort: str = ""

    @property
    def lookups(self) -> tuple[str, ...]:
        return self.needs if self.value else (self.name, *self.needs)

    def read(self, row: dict):
        """The cell's value."""
        value = self.value(row) if self.value else row[self.name]
        if self.choices is None or value in (None, ""):
            return value
        label = self.choices(value).label
        return (value, label) if self.kind == "status" else label


@dataclass(frozen=True)
class Table:
    """The columns of a list; `url` is the row's page, `selected` the lookup that a row's checkbox carries (empty: no checkboxes)."""

    columns: tuple[Column, ...]
    caption: str
    url: Callable[[dict], str] | None = None
    needs: tuple[str, ...] = ()
    selected: str = ""
    form_id: str = ""
    empty_title: str = "No rows match"
    wraps: bool = False  # long texts share the width of a wide screen, so that nothing lies beyond its edge

    @property
    def lookups(self) -> list[str]:
        """Everything that the table reads, once."""
        chosen = (self.selected,) if self.selected else ()
        return list(dict.fromkeys([*self.needs, *chosen, *(name for column in self.columns for name in column.lookups)]))

    def bind(self, rows: Iterable[dict], *, sorts: Iterable[str] = (), current: str = "", sort_url: Callable[[str], str] | None = None):
        """The table with its rows, as the template reads it. `sort_url` gives the address of the list sorted by a name."""
        offered = set(sorts)
        heads = [Head(column, *_heading(column, offered, current, sort_url)) for column in self.columns]
        return Bound(self, heads, [self._row(row, heads) for row in rows])

    def _row(self, row: dict, heads: list["Head"]) -> "Row":
        cells = [(head, head.column.read(row), head.column.url(row) if head.column.url else None) for head in heads]
        return Row(cells, self.url(row) if self.url else None, row.get(self.selected))


@dataclass
class Row:
    """A row as it is drawn: cells are (head, value, url)."""

    cells: list[tuple]
    url: str | None
    selected_value: object = None
    selected: bool = False


@dataclass
class Head:
    """A column as its heading and cells are drawn."""

    column: Column
    sortable: bool
    sorted: str
    sort_url: str

    def __post_init__(self):
        self.name, self.label, self.kind, self.numeric = self.column.name, self.column.label, self.column.kind, self.column.numeric


@dataclass
class Bound:
    """A table with rows; `total_text` is what "select all" would select."""

    table: Table
    columns: list[Head]
    rows: list[Row] = field(default_factory=list)
    total_text: str = ""
    empty_text: str = ""

    def __post_init__(self):
        self.caption, self.form_id, self.empty_title = self.table.caption, self.table.form_id, self.table.empty_title
        self.selectable, self.wraps = bool(self.table.selected), self.table.wraps


def _heading(column: Column, offered: set[str], current: str, sort_url) -> tuple[bool, str, str]:
    """(sortable, asc or desc or nothing, address): a click on the sorted column turns it round; on another it sorts descending first."""
    up, down = column.sort, f"-{column.sort}"
    if not column.sort or sort_url is None or not offered & {up, down}:
        return False, "", ""
    direction = {up: "asc", down: "desc"}.get(current, "")
    target = up if (current == down and up in offered) or down not in offered else down
    return True, direction, sort_url(target)
