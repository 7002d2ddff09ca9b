"""How a set of limits becomes bytes: whole units as int16, differences along time, compressed. About 50 bytes a point and day."""

import zlib

import numpy as np

from operations.forecasts.engine.blocks import LEVEL, unit_for, unpack

__all__ = ["pack", "pack_codes", "unit_for", "unpack", "unpack_codes"]

DEVICE = -1  # what stops a point that has all its room: no element


def pack(values: np.ndarray, unit: float, *, upper: bool) -> bytes:
    """kW (A, T) rounded into the envelope: an upper bound down, a lower one up."""
    steps = (np.floor(values / unit + 1e-6) if upper else np.ceil(values / unit - 1e-6)).astype("<i2")
    return zlib.compress(np.diff(steps, axis=1, prepend=np.zeros((len(steps), 1), "<i2")).astype("<i2").tobytes(), LEVEL)


def pack_codes(values: np.ndarray) -> bytes:
    """Codes (A, T) of what binds, from −1 up."""
    return zlib.compress(np.diff(values, axis=1, prepend=np.zeros((len(values), 1), values.dtype)).astype("<i4").tobytes(), LEVEL)


def unpack_codes(content: bytes, count: int, intervals: int) -> np.ndarray:
    """Codes (count, intervals) from pack_codes()."""
    return np.cumsum(np.frombuffer(zlib.decompress(content), "<i4").reshape(count, intervals), axis=1, dtype="<i4")
