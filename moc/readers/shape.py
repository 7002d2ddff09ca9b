"""What a file may look like: the vocabulary of its columns, its limits, and what was recognised."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from .errors import refuse

_NOISE = re.compile(r"[\W_]+")

# columns that annotate() adds; a corrected file comes back with them and they are no part of the filing
FINDING_COLUMNS = ("moc_errors", "moc_warnings")


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """A column name without case, spaces, underscores and punctuation: "Nameplate AC (kW)" → "nameplateackw"."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", name).casefold())


@dataclass(frozen=True)
class Vocabulary:
    """The columns a kind of file may have: canonical names, aliases (alias → canonical name), and the required ones.

    Raises ValueError where two names fold to the same, or an alias or a required name points nowhere.
    """

    names: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    def __post_init__(self):
        unknown = {*self.aliases.values(), *self.required} - {*self.names}
        if unknown:
            raise ValueError(f"not in the vocabulary: {sorted(unknown)}")
        if len(self.index) < len(self.names):
            raise ValueError("two canonical names differ only in case or punctuation")

    @cached_property
    def index(self) -> dict[str, str]:
        """Folded name or alias → canonical name; a canonical name wins over an alias."""
        return {fold(alias): name for alias, name in self.aliases.items()} | {fold(name): name for name in self.names}

    def canonical(self, given: str) -> str | None:
        return self.index.get(fold(given))


@dataclass(frozen=True)
class Limits:
    """How much of a file is read. Bytes count after decompression too; characters are Unicode code points."""

    file_bytes: int = 500 * 1024 * 1024
    rows: int = 1_000_000
    columns: int = 200
    cell_chars: int = 32_768
    row_chars: int = 1_000_000
    ratio: int = 200  # a compressed file may grow so many times
    xlsx_rows: int = 100_000
    xlsx_cells: int = 8_000_000  # the reader holds a sheet as a dense rectangle in memory
    xlsx_parts: int = 1_000


@dataclass(frozen=True)
class Sheet:
    """What was recognised in a file.

    `columns` has one entry per header cell, None for an unknown one; for JSON kinds, whose keys may differ from row to
    row, it is the whole vocabulary, and `header`, `unknown` and `missing_required` tell what has been read so far.
    """

    header: tuple[str, ...]
    columns: tuple[str | None, ...]
    unknown: tuple[str, ...]
    missing_required: tuple[str, ...]
    encoding: str
    delimiter: str | None
    kind: str  # csv, ndjson, json or xlsx

    @property
    def recognised(self) -> tuple[str, ...]:
        """The canonical names in the order in which Block.copy_text carries them."""
        return tuple(name for name in self.columns if name)


@dataclass(frozen=True)
class Block:
    """Some rows as PostgreSQL COPY text (see encode.COPY_OPTIONS): row_number, shape_problem, recognised columns."""

    first_row: int
    count: int
    copy_text: bytes


def recognise(header: Iterable[str], vocabulary: Vocabulary) -> tuple[str | None, ...]:
    """The canonical name of each header cell, None for an unknown one; refuses two columns of one meaning and none at all."""
    header = tuple(header)
    columns = tuple(vocabulary.canonical(given) for given in header)
    seen: dict[str, str] = {}
    for given, name in zip(header, columns, strict=True):
        if name in seen:
            raise refuse("duplicate_column", column=name, first=seen[name], second=given)
        if name:
            seen[name] = given
    if not seen:
        given = ", ".join(filter(None, header[:5])) or "the first row is blank"
        raise refuse("no_recognised_column", given=given[:200])
    return columns


def unknown_of(header: Iterable[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """The given names that mean nothing here, fit to be shown and stored; blank ones and annotate()'s own are not worth a report."""
    strange = (given for given in header if fold(given) and not vocabulary.canonical(given) and not is_finding_column(given))
    return tuple(given.strip()[:100].replace("\0", " ").encode(errors="replace").decode() for given in strange)


def missing_of(columns: Iterable[str | None], vocabulary: Vocabulary) -> tuple[str, ...]:
    present = set(columns)
    return tuple(name for name in vocabulary.required if name not in present)


def is_finding_column(given: str) -> bool:
    return given.strip().casefold() in FINDING_COLUMNS
