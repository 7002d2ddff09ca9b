"""What a file is, by its content: compression, kind and encoding, in one cheap pass over its bytes."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import refuse
from .shape import Limits

CHUNK = 256 * 1024
_RATIO_COUNTS_FROM = 10_000_000  # bytes; below it a high ratio harms nobody
_HEAD = 4096

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_FOREIGN = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls) or one protected by a password"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"BZh9", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"SQLite format 3\x00", "a database"),
    (b"PAR1", "a Parquet file"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"<?xml", "an XML document"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
)
_PROMISED = {
    ".csv": ("csv",),
    ".tsv": ("csv",),
    ".txt": ("csv",),
    ".xlsx": ("xlsx",),
    ".json": ("json",),
    ".ndjson": ("json",),
    ".jsonl": ("json",),
}
_FOUND = {"csv": "plain text", "json": "JSON", "xlsx": "a workbook or ZIP archive"}
_CONTROLS = bytes((*range(9), *range(14, 27)))  # hardly met in text, often in anything else


class Raw:
    """The bytes of a file, gunzipped where it is gzip, in chunks; `position` of `size` tells the progress on disk."""

    def __init__(self, path: Path, limits: Limits):
        self.path, self.limits = path, limits
        self.size = path.stat().st_size
        self.position = 0
        if not self.size:
            raise refuse("empty")
        if self.size > limits.file_bytes:
            raise refuse("too_large", limit_mb=limits.file_bytes // 1024**2)
        with path.open("rb") as file:
            self.gzipped = file.read(2) == _GZIP

    def chunks(self) -> Iterator[bytes]:
        """Chunks of at most CHUNK bytes; refuses damaged gzip, and more bytes than the limits allow."""
        total = 0
        with self.path.open("rb") as file:
            stream = gzip.GzipFile(fileobj=file) if self.gzipped else file
            while chunk := self._read(stream):
                total += len(chunk)
                self.position = file.tell()
                self._bound(total)
                yield chunk

    def _read(self, stream) -> bytes:
        try:
            return stream.read(CHUNK)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise refuse("damaged_gzip") from error

    def _bound(self, total: int) -> None:
        if total > self.limits.file_bytes:
            raise refuse("too_large_unpacked", limit_mb=self.limits.file_bytes // 1024**2)
        if self.gzipped and total > max(_RATIO_COUNTS_FROM, self.position * self.limits.ratio):
            raise refuse("bomb", ratio=self.limits.ratio)


@dataclass(frozen=True)
class Survey:
    """What the first pass found: kind csv, json or xlsx, and the text's encoding (a codec name; "" for xlsx)."""

    kind: str
    encoding: str


def survey(raw: Raw, name: str) -> Survey:
    """Read the file once: its kind by content, held against what its name promises, and its encoding."""
    chunks = raw.chunks()
    head = next(chunks, b"")
    if not head:
        raise refuse("empty")
    if head.startswith(_ZIP):
        kind, encoding = "xlsx", ""
    else:
        _refuse_foreign(head)
        encoding = _encoding(head, chunks)
        kind = _text_kind(head, encoding)
    _hold_promise(kind, name)
    return Survey(kind, encoding)


def _refuse_foreign(head: bytes) -> None:
    start = head[:64].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for magic, found in _FOREIGN:
        if start.startswith(magic.lower()):
            raise refuse("wrong_type", found=found)
    if head.startswith(_GZIP):
        raise refuse("wrong_type", found="compressed twice")
    if head[257:262] == b"ustar":
        raise refuse("wrong_type", found="a tar archive")
    if not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        beginning = head[:_HEAD]
        controls = len(beginning) - len(beginning.translate(None, _CONTROLS))
        if controls > 2 and controls * 20 > len(beginning):
            raise refuse("wrong_type", found="binary data")


def _text_kind(head: bytes, encoding: str) -> str:
    text = codecs.getincrementaldecoder(encoding)().decode(head).lstrip()
    return "json" if text[:1] in ("{", "[") else "csv"


def _hold_promise(kind: str, name: str) -> None:
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    if suffixes and suffixes[-1] in (".gz", ".gzip"):
        suffixes.pop()
    promised = _PROMISED.get(suffixes[-1] if suffixes else "")
    if promised and kind not in promised:
        raise refuse("wrong_type", found=_FOUND[kind])


def _encoding(head: bytes, rest: Iterator[bytes]) -> str:
    """utf-8-sig, utf-16 (by its byte order mark) or cp1252: the last only if all before its first odd byte is ASCII."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _check(head, rest, "utf-16")
        return "utf-16"
    return _check(head, rest, "utf-8-sig")


def _check(head: bytes, rest: Iterator[bytes], encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)()
    line, plain = 1, not head.startswith(codecs.BOM_UTF8)
    chunk, final = head, False
    while True:
        try:
            plain = decoder.decode(chunk, final).isascii() and plain
        except UnicodeDecodeError as error:
            encoding, decoder = _fallback(error, line, encoding, plain)
        if final:
            return encoding
        line += chunk.count(b"\n")
        chunk = next(rest, b"")
        final = not chunk


def _fallback(error: UnicodeDecodeError, line: int, encoding: str, plain: bool) -> tuple[str, codecs.IncrementalDecoder]:
    """After a byte that is not UTF-8: go on as Windows-1252, unless that fails too or characters were UTF-8 before it."""
    before, left = error.object[: error.start], error.object[error.start :]
    line += before.count(b"\n")
    if encoding != "utf-8-sig":
        raise refuse("bad_encoding", line=line) from error
    if not (plain and before.isascii()):
        raise refuse("mixed_encoding", line=line) from error
    decoder = codecs.getincrementaldecoder("cp1252")()
    try:
        decoder.decode(left)
    except UnicodeDecodeError as second:
        raise refuse("bad_encoding", line=line + left[: second.start].count(b"\n")) from second
    return "cp1252", decoder
