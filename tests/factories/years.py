"""A year that nobody measured, as the shipped rule set rows assume it."""

import numpy as np

from moc.rulesets.defaults import ROWS
from operations.interconnection.services.base import ASSUMED
from operations.interconnection.solver.year import Assumed

_SHIPPED = {key: np.array(value, float) for key, authority, value, *_ in ROWS if key in ASSUMED and not authority}
_MONTHS, _SPREAD, _WEATHER, _LATITUDE = (_SHIPPED[key] for key in ASSUMED)
SHIPPED = Assumed(_MONTHS / 100, float(_SPREAD) / 100, _WEATHER / 100, float(_LATITUDE))
