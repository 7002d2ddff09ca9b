"""Powers as bytes: kW rounded to a unit as int16, differences along time, compressed. Read by all that keep blocks of them."""

import zlib

import numpy as np

UNITS = (0.1, 1.0, 10.0, 100.0)
LEVEL = 9


def unit_for(values: np.ndarray) -> float:
    """The finest unit in which these kW fit an int16."""
    most = float(np.abs(values).max(initial=0.0))
    return next(unit for unit in UNITS if most / unit < 32_000)


def pack(values: np.ndarray, unit: float) -> bytes:
    """kW (A, T) rounded to whole units."""
    steps = np.rint(values / unit).astype("<i2")
    return zlib.compress(np.diff(steps, axis=1, prepend=np.zeros((len(steps), 1), "<i2")).astype("<i2").tobytes(), LEVEL)


def unpack(content: bytes, count: int, intervals: int, unit: float) -> np.ndarray:
    """kW (count, intervals) from a block, whichever way it was rounded."""
    steps = np.frombuffer(zlib.decompress(content), "<i2").reshape(count, intervals)
    return np.round(np.cumsum(steps, axis=1, dtype="<i2") * unit, 3)
