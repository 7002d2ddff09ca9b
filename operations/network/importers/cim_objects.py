"""RDF/XML of CIM100 as plain objects. Documents of strangers: no document type, so no entities; bounded in size, depth and objects."""

import math
import xml.parsers.expat
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

RDF, CIM = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://iec.ch/TC57/CIM100#"
MOST_BYTES, MOST_OBJECTS, MOST_TEXT = 100 * 2**20, 2_000_000, 10_000
CHUNK = 2**20


class Unreadable(ValueError):
    """The document cannot be read, or holds what cannot be made an element."""


@dataclass
class Thing:
    """One object: its class, its id, and its properties ("EnergyConsumer.p" → text; a reference as the other's id, an enumeration's value
    as "WindingConnection.D")."""

    kind: str
    id: str
    values: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.values.get("IdentifiedObject.name", self.id)

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number. Raises Unreadable naming the object where there is none."""
        text = self.values.get(key, default)
        try:
            value = float(text)
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise Unreadable(f"{self.kind} {self.name[:80]}: {key} is not a number: {str(text)[:40]}.")
        return value

    def last(self, key: str) -> str:
        """The value of an enumeration: "D" of "WindingConnection.D"; empty where there is none."""
        return self.values.get(key, "").rsplit(".", 1)[-1]


class Model:
    """The objects of a document, by id, by class, and by what refers to them."""

    def __init__(self, things: dict[str, Thing]):
        self.things = things
        self.classes = defaultdict(list)
        for thing in things.values():
            self.classes[thing.kind].append(thing)

    @cached_property
    def _referring(self) -> dict[tuple[str, str], list[Thing]]:
        found = defaultdict(list)
        for thing in self.things.values():
            for key, value in thing.values.items():
                if value in self.things:
                    found[key, value].append(thing)
        return found

    def of(self, key: str, thing: Thing) -> list[Thing]:
        """The objects whose property refers to a thing."""
        return self._referring.get((key, thing.id), [])

    def at(self, thing: Thing, key: str) -> Thing:
        """What a property refers to. Raises Unreadable where that is missing."""
        found = self.things.get(thing.values.get(key, ""))
        if found is None:
            raise Unreadable(f"{thing.kind} {thing.name[:80]}: {key} refers to nothing in the document.")
        return found


def read(path: Path) -> Model:
    """The objects of a document. Raises Unreadable for what is no XML, has a document type or is too large."""
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable(f"The document is larger than {MOST_BYTES // 2**20} MB.")
    handler = _Handler()
    parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_document_type
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = handler.start, handler.end, handler.text
    try:
        with path.open("rb") as file:
            while content := file.read(CHUNK):
                parser.Parse(content, False)
            parser.Parse(b"", True)
    except xml.parsers.expat.ExpatError as error:
        raise Unreadable(f"The document is no XML: {error}.") from error
    if not handler.things:
        raise Unreadable(f"The document holds no objects of CIM100 ({CIM}).")
    return Model(handler.things)


def _no_document_type(*declared) -> None:
    raise Unreadable("The document declares a document type or entities; CIM needs none, and none is read.")


class _Handler:
    """The root at depth 1, objects at 2, their properties at 3; deeper is not RDF of CIM."""

    def __init__(self):
        self.things: dict[str, Thing] = {}
        self.depth, self.thing, self.key, self.said = 0, None, "", ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > 3:
            raise Unreadable("Elements stand deeper than a property of an object.")
        space, _, local = name.rpartition(" ")
        if self.depth == 1 and (space, local) != (RDF, "RDF"):
            raise Unreadable("The document's root is not rdf:RDF.")
        if self.depth == 2:
            self.thing = self._thing(local, attributes) if space == CIM else None
        elif self.depth == 3 and self.thing is not None:
            self.key, self.said = local, plain(attributes.get(f"{RDF} resource", ""))

    def _thing(self, kind: str, attributes: dict[str, str]) -> Thing:
        known = plain(attributes.get(f"{RDF} about") or attributes.get(f"{RDF} ID") or "")
        if not known:
            raise Unreadable(f"An object of class {kind[:80]} has no id.")
        if len(self.things) >= MOST_OBJECTS:
            raise Unreadable(f"The document holds more than {MOST_OBJECTS:,} objects.")
        return self.things.setdefault(known, Thing(kind, known))

    def text(self, content: str) -> None:
        if self.depth == 3:
            self.said += content
            if len(self.said) > MOST_TEXT:
                raise Unreadable(f"A property is longer than {MOST_TEXT:,} characters.")

    def end(self, name: str) -> None:
        if self.depth == 3 and self.thing is not None:
            self.thing.values[self.key] = self.said.strip()
        self.depth -= 1


def plain(reference: str) -> str:
    """An id or a reference without its form: of urn:uuid:X, #_X, #X and _X the X, of an enumeration's address its value."""
    return reference.removeprefix("urn:uuid:").rsplit("#", 1)[-1].removeprefix("_")
