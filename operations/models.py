"""The models of operations, by slice."""

from operations.coordination.models import DeliverabilityRun, InterfaceLimit, InterfaceResult, LineEvent, LineTouched, MonitoredLine
from operations.deferral.models import TransformerAlarm
from operations.envelopes.models import EnvelopeBlock, EnvelopePoint, EnvelopePolicy, EnvelopeReceipt, EnvelopeRun
from operations.forecasts.models import Forecast, MeterDay
from operations.hosting.models import HostingMap, HostingNode
from operations.interconnection.models import InterconnectionStudy, SettingsReadback
from operations.network.models import NetworkArrays, NetworkElement, NetworkFinding, NetworkPoint, NetworkVersion
from operations.outages.models import DerOutage, GridEvent, LogEntry, TouchedDer
from operations.outcomes.models import EnvelopeOutcome
from operations.reliability.models import ReliabilityFinding
from operations.responses.models import OutageResponse
from operations.screening.models import ReviewScreen, ScreenFinding
from operations.telemetry.models import DerState, Reading, SubjectReading, SubjectState, TelemetryCheck

__all__ = [
    "DeliverabilityRun",
    "DerOutage",
    "DerState",
    "EnvelopeBlock",
    "EnvelopeOutcome",
    "EnvelopePoint",
    "EnvelopePolicy",
    "EnvelopeReceipt",
    "EnvelopeRun",
    "Forecast",
    "MeterDay",
    "GridEvent",
    "HostingMap",
    "HostingNode",
    "InterconnectionStudy",
    "InterfaceLimit",
    "InterfaceResult",
    "LineEvent",
    "LineTouched",
    "LogEntry",
    "MonitoredLine",
    "NetworkArrays",
    "NetworkElement",
    "NetworkFinding",
    "NetworkPoint",
    "NetworkVersion",
    "OutageResponse",
    "Reading",
    "ReliabilityFinding",
    "ReviewScreen",
    "ScreenFinding",
    "SettingsReadback",
    "SubjectReading",
    "SubjectState",
    "TelemetryCheck",
    "TouchedDer",
    "TransformerAlarm",
]
