"""Reading what people upload: any table, streamed, in bounded memory, to blocks for PostgreSQL's COPY. No Django here."""

from .encode import COPY_OPTIONS, TOO_FEW_CELLS, TOO_MANY_CELLS
from .errors import REFUSALS, FileRefused
from .shape import FINDING_COLUMNS, Block, Limits, Sheet, Vocabulary, fold
from .source import RowSource, annotate, open_rows

__all__ = [
    "COPY_OPTIONS",
    "FINDING_COLUMNS",
    "REFUSALS",
    "TOO_FEW_CELLS",
    "TOO_MANY_CELLS",
    "Block",
    "FileRefused",
    "Limits",
    "RowSource",
    "Sheet",
    "Vocabulary",
    "annotate",
    "fold",
    "open_rows",
]
