"""The models of operations, by slice."""

from operations.envelopes.models import EnvelopeBlock, EnvelopePoint, EnvelopePolicy, EnvelopeReceipt, EnvelopeRun
from operations.network.models import NetworkArrays, NetworkElement, NetworkFinding, NetworkPoint, NetworkVersion
from operations.telemetry.models import DerState, Reading

__all__ = [
    "DerState",
    "EnvelopeBlock",
    "EnvelopePoint",
    "EnvelopePolicy",
    "EnvelopeReceipt",
    "EnvelopeRun",
    "NetworkArrays",
    "NetworkElement",
    "NetworkFinding",
    "NetworkPoint",
    "NetworkVersion",
    "Reading",
]
