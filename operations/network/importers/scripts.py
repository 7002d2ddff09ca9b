"""OpenDSS files of strangers: only what builds a circuit is passed on, and only files of the same archive are read.

OpenDSS scripts can write files and run programs; so every file is written anew with the lines whose verb is known to build."""

import re
import zipfile
from pathlib import Path, PurePosixPath

BUILDING = set(
    "clear new edit ~ more m redirect buscoords calcvoltagebases calcv batchedit enable disable open close latlongcoords".split()
)
SETTINGS = set("voltagebases defaultbasefrequency maxiterations maxcontroliter loadmult algorithm tolerance".split())
READING = {"redirect", "buscoords", "latlongcoords"}
TEXT = {".dss", ".txt", ".csv"}
MOST_BYTES, MOST_FILES = 100 * 2**20, 2_000
FILE_OPTION = re.compile(r"(?:file|csvfile|sngfile|dblfile)\s*=\s*[\"'(\[{]?([^\s,\"')\]}]+)", re.IGNORECASE)
USER_CODE = re.compile(r"\b(?:usermodel|shaftmodel|dynadll|userdata)\s*=", re.IGNORECASE)


class Unsafe(ValueError):
    """The archive holds what is not a circuit."""


def unpack(path: Path, name: str, folder: Path) -> Path:
    """Writes the cleaned scripts into folder and returns the master: the one named so, or the only one. Raises Unsafe."""
    found = dict(_archive(path) if zipfile.is_zipfile(path) else [(PurePosixPath(Path(name).name), path.read_bytes())])
    circuits = [member for member, content in found.items() if re.search(rb"^\s*new\s+(object\s*=\s*)?circuit\.", content, re.I | re.M)]
    named = [member for member in circuits if "master" in member.name.lower()]
    if len(circuits) != 1 and len(named) != 1:
        raise Unsafe("The archive needs one file that defines the circuit (or one of several with “master” in its name).")
    for member, content in found.items():
        target = folder / member
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_cleaned(content.decode("utf-8", errors="replace")) if _is_script(member, content) else content.decode("latin-1"))
    return folder / (named[0] if len(named) == 1 else circuits[0])


def _archive(path: Path):
    """(path inside, content) of an archive's text files, within bounds."""
    with zipfile.ZipFile(path) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) > MOST_FILES or sum(info.file_size for info in members) > MOST_BYTES:
            raise Unsafe(f"The archive holds more than {MOST_FILES:,} files or {MOST_BYTES // 2**20} MB.")
        for info in members:
            inside = PurePosixPath(info.filename.replace("\\", "/"))
            _require_inside(str(inside))
            if inside.suffix.lower() in TEXT:
                yield inside, archive.read(info)


def _require_inside(reference: str) -> None:
    if reference.startswith(("/", "\\", "~")) or ":" in reference or ".." in PurePosixPath(reference.replace("\\", "/")).parts:
        raise Unsafe(f"{reference} points outside the archive.")


def _is_script(member: PurePosixPath, content: bytes) -> bool:
    return bool(re.search(rb"^\s*(new|set|redirect|clear|edit)\b", content, re.I | re.M))


def _cleaned(text: str) -> str:
    """The lines that build a circuit; others are left out, and a line that reaches outside refuses the whole."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return "\n".join(line for line in map(_line, text.splitlines()) if line) + "\n"


def _line(line: str) -> str:
    words = line.strip().split(None, 1)
    if not words or words[0].startswith(("!", "//")):
        return ""
    verb = words[0].lower()
    if verb.startswith("~"):
        verb = "~"
    rest = words[1] if len(words) > 1 else ""
    if verb == "set":
        return line if rest.split("=")[0].strip().lower() in SETTINGS else ""
    if verb == "compile":
        verb, line = "redirect", "redirect " + rest
    if verb not in BUILDING:
        return ""
    if USER_CODE.search(line):
        raise Unsafe("The circuit names program code of its own, which is not run here.")
    if verb in READING:
        _require_inside(rest.split("!")[0].split("//")[0].strip().strip("\"'()[]{}"))
    for reference in FILE_OPTION.findall(line):
        _require_inside(reference)
    return line
