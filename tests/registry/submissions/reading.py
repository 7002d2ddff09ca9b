"""Reading a file in tests: a small vocabulary, and COPY text back into cells."""

from moc.readers import Vocabulary, open_rows

VOCABULARY = Vocabulary(
    names=("external_id", "nameplate_ac_kw", "premise_address", "control_modes"),
    aliases={"DER ID": "external_id", "kW": "nameplate_ac_kw"},
    required=("external_id", "nameplate_ac_kw"),
)
_UNESCAPE = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}


def decoded(copy_text: bytes) -> list[list[str]]:
    """COPY text back into cells, as PostgreSQL reads it."""
    rows = []
    for line in copy_text.decode().removesuffix("\n").split("\n"):
        cells = []
        for cell in line.split("\t"):
            parts = cell.split("\\\\")
            for escape in ("\\t", "\\n", "\\r"):
                parts = [part.replace(escape, _UNESCAPE[escape]) for part in parts]
            cells.append("\\".join(parts))
        rows.append(cells)
    return rows


def read(path, name=None, vocabulary=VOCABULARY, limits=None):
    """The sheet and all rows of a file."""
    with open_rows(path, name=name or path.name, vocabulary=vocabulary, limits=limits) as source:
        rows = [row for block in source.blocks() for row in decoded(block.copy_text)]
        return source.sheet, rows
