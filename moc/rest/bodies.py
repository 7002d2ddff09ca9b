"""Bodies that are tables: streamed to a temporary file with their digest, never whole in memory.

A JSON body may be an envelope, {"title": …, "aggregator": …, "rows": [ … ]}: what stands before the rows is read here, the rows are not.
"""

import hashlib
import json
import re
from codecs import BOM_UTF8
from email.message import Message
from itertools import chain
from pathlib import PurePath
from urllib.parse import unquote

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.utils.datastructures import MultiValueDict
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser
from rest_framework.request import Request

from moc.rest.problems import TooLarge

CHUNK, HEAD = 256 * 1024, 64 * 1024
ENVELOPE = {"title", "aggregator"}
GAP, COLON = re.compile(r"[\s,]*"), re.compile(r"\s*:\s*")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class StreamedRequest(Request):
    """A request whose body may come in chunks, without a length said before."""

    def _load_stream(self) -> None:
        super()._load_stream()
        if self._stream is None and self._request.headers.get("Transfer-Encoding"):
            self._stream = self._request


class Table(BaseParser):
    """A body that is one file. `request.data` is {"file": the file} and what an envelope says beside its rows."""

    suffix = ""

    def parse(self, stream, media_type=None, parser_context=None) -> DataAndFiles:
        request = parser_context["request"]
        name = _given_name(request.headers.get("Content-Disposition", "")) or f"api{self.suffix}"
        chunks = iter(lambda: stream.read(CHUNK), b"")
        said, chunks = self.opened(chunks)
        files = MultiValueDict({"file": [spool(chunks, name, media_type or self.media_type)]})
        request._request._files = files  # closed with the request, as a form's files are
        return DataAndFiles(MultiValueDict({key: [value] for key, value in said.items()}), files)

    def opened(self, chunks):
        """(what the body says beside its rows, the chunks that are the file)"""
        return {}, chunks


class Csv(Table):
    """Comma, semicolon or tab."""

    media_type, suffix = "text/csv", ".csv"


class NdJson(Table):
    """One object a line."""

    media_type, suffix = "application/x-ndjson", ".ndjson"


class Xlsx(Table):
    """A workbook."""

    media_type, suffix = XLSX, ".xlsx"


class Gzip(Table):
    """Any of the others, compressed."""

    media_type, suffix = "application/gzip", ".gz"


class JsonRows(Table):
    """An array of objects, or the envelope around one."""

    media_type, suffix = "application/json", ".json"

    def opened(self, chunks):
        head = b""
        for chunk in chunks:
            head += chunk
            if len(head) >= HEAD:
                break
        said, rest = envelope(head)
        return said, chain((rest,), chunks)


class TableForm(MultiPartParser):
    """A form with the file in the field `file`."""


TABLES = (JsonRows, NdJson, Csv, Xlsx, Gzip, TableForm)


def envelope(head: bytes) -> tuple[dict, bytes]:
    """What an envelope says before its rows, and the body as {"rows": [ …; a body that is no envelope comes back as it is."""
    try:
        text = head.removeprefix(BOM_UTF8).decode("utf-8", "surrogateescape")  # any bytes, and back to the same bytes
        start = text.index("{")
        if text[:start].strip():
            return {}, head
        at, said, scan = start + 1, {}, json.JSONDecoder().raw_decode
        while True:
            at = GAP.match(text, at).end()
            key, at = scan(text, at)
            at = COLON.match(text, at).end()
            if key == "rows" and text[at] == "[":
                return said, b'{"rows": ' + text[at:].encode("utf-8", "surrogateescape")
            if key not in ENVELOPE:
                return {}, head
            said[key], at = scan(text, at)
    except (ValueError, AttributeError, IndexError):
        return {}, head


def spool(chunks, name: str, media_type: str) -> TemporaryUploadedFile:
    """The body in a temporary file, with `.sha256`. Raises TooLarge, and ValidationError for an empty one."""
    upload, digest, size = TemporaryUploadedFile(name, media_type, 0, None), hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        if size > settings.MOC_MAX_UPLOAD_BYTES:
            upload.close()
            raise TooLarge(f"A body may have at most {settings.MOC_MAX_UPLOAD_BYTES // 2**20} MB. Compress it (gzip) or split it.")
        upload.write(chunk)
        digest.update(chunk)
    if not size:
        upload.close()
        raise ValidationError({"file": ["The body is empty."]})
    upload.size, upload.sha256 = size, digest.hexdigest()
    upload.seek(0)
    return upload


def file_of(request: Request) -> UploadedFile:
    """The request's file, whichever way it came, with `.sha256`."""
    upload = request.FILES.get("file")
    if not isinstance(upload, UploadedFile):
        raise ValidationError({"file": ["Send the file as the body, or in the form field “file”."]})
    if not upload.size:
        raise ValidationError({"file": ["The file is empty."]})
    if not hasattr(upload, "sha256"):
        upload.sha256 = hashlib.file_digest(upload.file, "sha256").hexdigest()
        upload.seek(0)
    return upload


def _given_name(disposition: str) -> str:
    """The file name of a Content-Disposition header, without any folder and without control characters, as Django reads a form's."""
    message = Message()
    message["Content-Disposition"] = disposition
    name = PurePath(unquote(message.get_filename() or "").replace("\\", "/")).name
    return "".join(letter for letter in name if letter.isprintable())[-200:]
