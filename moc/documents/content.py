"""Evidence is looked at before it is kept: its type by its content, its size, and by the operator's scanner, if there is one."""

from collections.abc import Callable
from functools import cache
from pathlib import PurePath
from zipfile import BadZipFile, ZipFile

from django.conf import settings
from django.utils.module_loading import import_string

from moc.errors import UserError

OFFICE = {"word/": ".docx", "xl/": ".xlsx"}
STARTS = ((b"%PDF", ".pdf"), (b"\x89PNG\r\n\x1a\n", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"II*\x00", ".tif"), (b"MM\x00*", ".tif"))
SAME = {".jpeg": ".jpg", ".tiff": ".tif", ".csv": ".txt", ".json": ".txt", ".xml": ".txt", ".md": ".txt", ".log": ".txt"}
KNOWN = "a PDF, a picture (PNG, JPEG, TIFF), a workbook or document (XLSX, DOCX), or plain text (TXT, CSV, JSON, XML)"
LOOKED_AT = 64 * 1024
Scanner = Callable[[object], str]


class Unfit(UserError):
    """A file that is not taken as evidence."""

    code = "EVIDENCE"


def check(upload) -> None:
    """Raise Unfit for a file that is too large, of no type that evidence has, of another than its name says, or found bad by the scanner.

    `upload` is a Django File; it is read, and stands at its beginning afterwards.
    """
    most = settings.MOC_MAX_EVIDENCE_BYTES
    if upload.size > most:
        raise Unfit(f"Evidence has at most {most // 2**20} MB.", "Send the part that shows the grounds, or make the pictures smaller.")
    kind, suffix = type_of(upload), PurePath(str(upload.name)).suffix.lower()
    if not kind:
        raise Unfit(f"This is neither {KNOWN}.", "Save it as a PDF.")
    if suffix and SAME.get(suffix, suffix) != kind:
        raise Unfit(f"The name ends in {suffix}, but the content is that of a {kind} file.", "Send the file as its program saved it.")
    found = scanner()(upload)
    upload.seek(0)
    if found:
        raise Unfit(f"The scanner found {found} in this file.", "Clean the computer that it is from, and send another copy.")


def type_of(upload) -> str:
    """The suffix of the file's type, read from its content; empty for a type that evidence does not have."""
    upload.seek(0)
    head = upload.read(LOOKED_AT)
    upload.seek(0)
    for start, kind in STARTS:
        if head.startswith(start):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _office(upload)
    return ".txt" if head and _is_text(head) else ""


def _office(upload) -> str:
    """A zip archive is evidence only as an office document without macros."""
    try:
        with ZipFile(upload) as archive:
            names = archive.namelist()
    except (BadZipFile, OSError, ValueError):
        names = []
    upload.seek(0)
    if "[Content_Types].xml" not in names or any(name.lower().endswith("vbaproject.bin") for name in names):
        return ""
    return next((kind for folder, kind in OFFICE.items() if any(name.startswith(folder) for name in names)), "")


def _is_text(head: bytes) -> bool:
    """UTF-8 without control characters; a character may be cut at the end of what was looked at."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8-sig")
    return not any(ord(letter) < 32 and letter not in "\t\r\n\f" for letter in text) and not text.lstrip().lower().startswith(SCRIPTS)


SCRIPTS = ("#!", "<!doctype html", "<html", "<script", "<?php", "<svg")  # what another program would run


@cache
def _loaded(path: str) -> Scanner:
    return import_string(path)


def scanner() -> Scanner:
    """The operator's scanner: function(file) → the name of what was found, or nothing; the one that finds nothing without a setting."""
    return _loaded(settings.MOC_FILE_SCANNER) if settings.MOC_FILE_SCANNER else lambda upload: ""
