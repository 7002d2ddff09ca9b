"""OpenDSS files of strangers: only what builds a circuit is passed on, and only files of the same archive are read.

OpenDSS scripts can write files and run programs; so every script is written anew, with the lines whose verb is known to build and with
what they read named where it was put. Names are matched as Windows does, for which most circuits were written: whatever their case."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

BUILDING = set(
    "clear clearall new edit more m batchedit enable disable open close calcvoltagebases calcv setkvbase setbusxy allocateloads".split()
)
LEFT_OUT = set(
    "solve show plot export visualize dump summary sample reset help about get ? say init buildy makebuslist interpolate closedi "
    "addbusmarker clearbusmarkers di_plot comparecases yearlycurves currents powers losses voltages save cleanup finishtimestep "
    "uuids var formedit fileedit quit".split()
)
RUNNING, PLACING = {"redirect", "compile"}, {"buscoords", "latlongcoords"}
SETTINGS = set("voltagebases defaultbasefrequency maxiterations maxcontroliter loadmult algorithm tolerance".split())
SHORTEST = 5  # letters of a setting that is written short
TEXT, NUMBERS = {".dss", ".txt", ".csv", ".dat"}, {".sng", ".dbl"}
MOST_BYTES, MOST_FILES = 100 * 2**20, 2_000
CIRCUIT = re.compile(r"^\s*new\s+(?:object\s*=\s*)?[\"']?circuit\.", re.IGNORECASE | re.MULTILINE)
SCRIPT = re.compile(rb"^\s*(?:new|set|redirect|compile|clear|edit)\b", re.IGNORECASE | re.MULTILINE)
CODE = re.compile(r"(?:\"[^\"]*\"|'[^']*'|[^!/]|/(?!/))*")  # a line up to its comment
VALUE = r"\[[^\]]*\]|\([^)]*\)|\{[^}]*\}|\"[^\"]*\"|'[^']*'|[^\s,]+"
OPTION = re.compile(rf"([\w%]+)\s*=\s*({VALUE})")
PROPERTY = re.compile(r"\w+\.[^\s=]+\.[\w%]+\s*=")  # transformer.reg1.taps=…, without a verb
FILE_OPTION = re.compile(r"((?:csv|sng|dbl)?file\s*=\s*[\[({]?)(\"[^\"]*\"|'[^']*'|[^\s,\"')\]}]+)", re.IGNORECASE)
USER_CODE = re.compile(r"\b(?:usermodel|shaftmodel|dynadll|userdata)\s*=", re.IGNORECASE)
SAVING = re.compile(r"\baction\s*=\s*(?:dbl|sng)save", re.IGNORECASE)
REWRITE = "Write the command in full and by itself, or take the line out."
LEAVE_OUT, ADD = "Send only the circuit's own objects.", "Put every file that the circuit reads into one archive, or take the line out."
CHOOSE = "Leave one of them, or name the archive after the one to read."


class Unsafe(ValueError):
    """What the archive holds is no circuit, or not all of it; `remedy` says what to do."""

    def __init__(self, sentence: str, remedy: str = LEAVE_OUT):
        super().__init__(sentence)
        self.remedy = remedy


@dataclass
class _Script:
    """A file of commands: what is passed on, the files that it runs, and why it cannot be read itself, which matters if it is."""

    lines: list[str] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    defines: bool = False
    refused: Unsafe | None = None


def unpack(path: Path, name: str, folder: Path) -> Path:
    """Writes the cleaned scripts into folder and returns the one to compile. Raises Unsafe.

    That is the one script which, with what it reads, defines a circuit and is read by no other; of several the one with “master” in its
    name, or with the archive's."""
    found = dict(_archive(path) if zipfile.is_zipfile(path) else [(Path(name).name, path.read_bytes())])
    places = {member.lower(): folder / str(i) / re.sub(r"[^\w.-]", "_", PurePosixPath(member).name) for i, member in enumerate(found)}
    texts = {member.lower(): content for member, content in found.items()}
    for member, content in texts.items():
        places[member].parent.mkdir()
        places[member].write_bytes(content)
    scripts = _scripts(texts, places)
    for member, script in scripts.items():  # what was not cleaned is read as numbers and places only
        places[member].write_text("\n".join([*script.lines, ""]), encoding="utf-8")
    master = _master(scripts, PurePosixPath(name).stem.lower())
    for member in sorted(_reached(master, scripts)):
        if refused := scripts[member].refused:
            raise refused
    return places[master]


def _scripts(texts: dict[str, bytes], places: dict[str, Path]) -> dict[str, _Script]:
    """The files with a line that builds, and all that a script runs, cleaned."""
    scripts: dict[str, _Script] = {}
    todo = {member for member, content in texts.items() if SCRIPT.search(content)}
    while todo:
        scripts |= {member: _cleaned(member, texts[member].decode("utf-8-sig", errors="replace"), places) for member in todo}
        todo = set().union(*(scripts[member].reads for member in todo)) - scripts.keys()
    return scripts


def _archive(path: Path) -> Iterator[tuple[str, bytes]]:
    """(path inside, content) of an archive's files of text and numbers, within bounds."""
    with zipfile.ZipFile(path) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) > MOST_FILES or sum(info.file_size for info in members) > MOST_BYTES:
            raise Unsafe(f"The archive holds more than {MOST_FILES:,} files or {MOST_BYTES // 2**20} MB.")
        for info in members:
            inside = _inside(PurePosixPath(), info.filename)
            if PurePosixPath(inside).suffix.lower() in TEXT | NUMBERS:
                yield inside, archive.read(info)


def _inside(base: PurePosixPath, reference: str) -> str:
    """The path in the archive that a reference from a folder of it means. Raises Unsafe when it leads outside."""
    given, parts = reference.replace("\\", "/"), list(base.parts)
    if given.startswith(("/", "~")) or ":" in given:
        raise Unsafe(f"{reference} points outside the archive.", ADD)
    for part in PurePosixPath(given).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            raise Unsafe(f"{reference} points outside the archive.", ADD)
    return "/".join(parts)


def _master(scripts: dict[str, _Script], stem: str) -> str:
    """The script to compile, by the rule of `unpack`."""
    building = {member for member in scripts if any(scripts[read].defines for read in _reached(member, scripts))}
    if not building:
        raise Unsafe("No file of the archive defines the circuit (“new circuit.”).")
    named = {member for member in building if PurePosixPath(member).stem == stem}
    masters = {member for member in building if "master" in PurePosixPath(member).name}
    for chosen in (named, _tops(masters, scripts), _tops(building, scripts)):
        if len(chosen) == 1:
            return chosen.pop()
    raise Unsafe(f"Several files build a circuit: {', '.join(sorted(_tops(masters or building, scripts)))}.", CHOOSE)


def _tops(members: set[str], scripts: dict[str, _Script]) -> set[str]:
    """Those that no other of them reads."""
    return members - {read for member in members for read in scripts[member].reads - {member}} or members


def _reached(member: str, scripts: dict[str, _Script]) -> set[str]:
    """A script and all that it reads, directly or not."""
    reached, todo = set(), {member}
    while todo:
        reached |= todo
        todo = {read for script in todo for read in scripts[script].reads if read in scripts} - reached
    return reached


def _cleaned(member: str, text: str, places: dict[str, Path]) -> _Script:
    """The lines that build a circuit; those that only compute and show are left out, and any other refuses the script."""
    script = _Script()
    without_blocks = re.sub(r"/\*.*?\*/", lambda block: "\n" * block.group().count("\n"), text, flags=re.DOTALL)
    for number, line in enumerate(without_blocks.splitlines(), 1):
        try:
            if passed := _line(CODE.match(line).group().strip(), member, places, script):
                script.lines.append(passed)
        except Unsafe as error:
            script.refused = script.refused or Unsafe(f"{member}, line {number}: {error}", error.remedy)
    return script


def _line(code: str, member: str, places: dict[str, Path], script: _Script) -> str:
    """What is passed on of a line without its comment: nothing, or the line with the files that it reads where they were put."""
    verb, rest = _words(code)
    if verb == "set":
        kept = [f"{name}={value}" for name, value in OPTION.findall(rest) if _is_setting(name.lower())]
        return f"set {' '.join(kept)}" if kept else ""
    if verb in RUNNING | PLACING:
        reference = re.match(rf"(?:file\s*=\s*)?({VALUE})", rest, re.IGNORECASE)
        target = _found(reference.group(1) if reference else "", member, places)
        if verb in RUNNING:
            script.reads.add(target)
        return f'{"redirect" if verb in RUNNING else verb} "{places[target]}"'
    if not verb or verb in LEFT_OUT:
        return ""
    if verb not in BUILDING and not PROPERTY.match(code):
        raise Unsafe(f"the command {verb} is not read.", REWRITE)
    if USER_CODE.search(code):
        raise Unsafe("the circuit names program code of its own, which is not run here.")
    if SAVING.search(code):
        raise Unsafe("the circuit writes files, which is not done here.")
    script.defines |= bool(CIRCUIT.match(code))
    return FILE_OPTION.sub(lambda option: f'{option[1]}"{places[_found(option[2], member, places)]}"', code)


def _words(code: str) -> tuple[str, str]:
    """The verb of a line, in small letters, and the rest."""
    if code.startswith(("~", "?")):
        return ("more" if code[0] == "~" else "?"), code[1:]
    verb, *rest = code.split(None, 1) or [""]
    return verb.lower(), rest[0] if rest else ""


def _is_setting(name: str) -> bool:
    """Whether a setting builds; OpenDSS takes the beginning of a name for it."""
    return any(setting.startswith(name) and len(name) >= min(SHORTEST, len(setting)) for setting in SETTINGS)


def _found(reference: str, member: str, places: dict[str, Path]) -> str:
    """The member of the archive that a line names. Raises Unsafe when there is none."""
    given = reference.strip("\"'()[]{} ")
    inside = _inside(PurePosixPath(member).parent, given).lower()
    if inside not in places:
        raise Unsafe(f"{given or 'the file to read'} is not in the archive.", ADD)
    return inside
