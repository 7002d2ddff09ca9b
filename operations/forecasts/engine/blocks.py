"""Forecasts as bytes: kW rounded to a unit as int16, differences along time, compressed. Read by operations.envelopes' unpack."""

import zlib

import numpy as np

from operations.envelopes.solver.blocks import LEVEL, unit_for, unpack

__all__ = ["pack", "unit_for", "unpack"]


def pack(values: np.ndarray, unit: float) -> bytes:
    """kW (A, T) rounded to whole units."""
    steps = np.rint(values / unit).astype("<i2")
    return zlib.compress(np.diff(steps, axis=1, prepend=np.zeros((len(steps), 1), "<i2")).astype("<i2").tobytes(), LEVEL)
