"""The models of operations, by slice."""

from operations.envelopes.models import EnvelopeBlock, EnvelopePoint, EnvelopePolicy, EnvelopeReceipt, EnvelopeRun
from operations.network.models import NetworkArrays, NetworkElement, NetworkFinding, NetworkPoint, NetworkVersion

__all__ = [
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
]
