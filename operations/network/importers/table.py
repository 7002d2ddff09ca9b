"""A network as one CSV, for utilities that have only a GIS: rows of source, line, transformer and point, made into OpenDSS's objects.

Columns: kind, name, from_bus, to_bus, phases (such as ABC or B), kv (line to line), to_kv, kva, x_percent, length_m, r_ohm_per_km,
x_ohm_per_km, rated_a, load_kw, load_kvar. Points are named by their service point's id."""

import csv
import re
from math import isfinite
from pathlib import Path

PHASES = {"A": "1", "B": "2", "C": "3"}
REQUIRED = {
    "source": ("name", "to_bus", "kv"),
    "line": ("name", "from_bus", "to_bus", "phases", "length_m", "r_ohm_per_km", "x_ohm_per_km"),
    "transformer": ("name", "from_bus", "to_bus", "phases", "kv", "to_kv", "kva"),
    "point": ("name", "from_bus", "phases", "kv", "load_kw"),
}
NUMBERS = set("kv to_kv kva x_percent length_m r_ohm_per_km x_ohm_per_km rated_a load_kw load_kvar".split())
POSITIVE = {"kv", "to_kv", "kva", "length_m"}
NAME = re.compile(r"[\w-]{1,100}")


class Unreadable(ValueError):
    """A row that cannot be made an element."""


def unpack(path: Path, name: str, folder: Path) -> Path:
    """Writes the OpenDSS circuit of a CSV file and returns it. Raises Unreadable naming the row."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    lines, volts = [], set()
    for number, row in enumerate(rows, 2):
        given = {key: (value or "").strip() for key, value in row.items() if key}
        lines.append(_object(number, given))
        volts |= {given[key] for key in ("kv", "to_kv") if given.get(key) and given["kind"] != "point"}
    if sum(row.get("kind", "").strip() == "source" for row in rows) != 1:
        raise Unreadable("The file needs exactly one row of kind source.")
    lines.sort(key=lambda line: not line.startswith("new circuit"))
    master = folder / "circuit.dss"
    bases = " ".join(sorted(volts, key=float, reverse=True))
    master.write_text("\n".join(["clear", *lines, f"set voltagebases=[{bases}]", "calcvoltagebases", ""]))
    return master


def _object(number: int, row: dict[str, str]) -> str:
    kind = row.get("kind", "")
    if kind not in REQUIRED:
        raise Unreadable(f"Row {number}: kind is {kind or 'empty'}; it must be one of {', '.join(REQUIRED)}.")
    for column in REQUIRED[kind]:
        if not row.get(column):
            raise Unreadable(f"Row {number}: {column} is missing; a {kind} needs it.")
    for column in NUMBERS & {key for key, value in row.items() if value}:
        try:
            row[column] = repr(float(row[column]))
        except ValueError as error:
            raise Unreadable(f"Row {number}: {column} is {row[column]}, which is no number.") from error
        if not isfinite(float(row[column])) or (column in POSITIVE and float(row[column]) <= 0):
            raise Unreadable(f"Row {number}: {column} is {row[column]}, which cannot be.")
    if kind == "line" and not (float(row["r_ohm_per_km"]) or float(row["x_ohm_per_km"])):
        raise Unreadable(f"Row {number}: the line {row['name']} has no impedance; give its resistance and reactance.")
    for column in ("name", "from_bus", "to_bus"):
        if row.get(column) and not NAME.fullmatch(row[column]):
            raise Unreadable(f"Row {number}: {column} may have letters, digits, - and _ only.")
    if row.get("phases") and set(row["phases"]) - set(PHASES):
        raise Unreadable(f"Row {number}: phases are {row['phases']}; write them as A, BC or ABC.")
    return MAKERS[kind](row)


def _nodes(row: dict[str, str]) -> tuple[str, int]:
    return "." + ".".join(PHASES[phase] for phase in sorted(row["phases"])), len(row["phases"])


def _source(row: dict[str, str]) -> str:
    return f"new circuit.feeder bus1={row['to_bus']} basekv={row['kv']} pu=1.0 r1=0 x1=0.001 r0=0 x0=0.001"


def _line(row: dict[str, str]) -> str:
    at, count = _nodes(row)
    km, r, x = float(row["length_m"]) / 1e3, float(row["r_ohm_per_km"]), float(row["x_ohm_per_km"])
    rated = f" normamps={row['rated_a']}" if row.get("rated_a") else " normamps=0"
    # without a measured zero sequence: an overhead line's usual ratio
    return (
        f"new line.{row['name']} bus1={row['from_bus']}{at} bus2={row['to_bus']}{at} phases={count} length={km} units=km "
        f"r1={r} x1={x} r0={3 * r} x0={3 * x} c1=0 c0=0{rated}"
    )


def _transformer(row: dict[str, str]) -> str:
    at, count = _nodes(row)
    kvs = [float(row["kv"]), float(row["to_kv"])]
    if count == 1:
        kvs = [kv / 3**0.5 for kv in kvs]
    conns = "delta wye" if count == 3 else "wye wye"
    return (
        f"new transformer.{row['name']} phases={count} windings=2 buses=[{row['from_bus']}{at} {row['to_bus']}{at}] conns=[{conns}] "
        f"kvs=[{kvs[0]} {kvs[1]}] kvas=[{row['kva']} {row['kva']}] xhl={row.get('x_percent') or 4.0}"
    )


def _point(row: dict[str, str]) -> str:
    at, count = _nodes(row)
    kv = float(row["kv"]) / (3**0.5 if count == 1 else 1)
    return (
        f"new load.{row['name']} bus1={row['from_bus']}{at} phases={count} kv={kv} kw={row['load_kw']} kvar={row.get('load_kvar') or 0.0} "
        "vminpu=0.5 vmaxpu=1.5"
    )


MAKERS = {"source": _source, "line": _line, "transformer": _transformer, "point": _point}
