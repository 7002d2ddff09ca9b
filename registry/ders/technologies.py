"""The technologies of DERs: those that ship, and those that a row of the law adds without a deployment (¶114: none is refused).

The row has the key "technologies" and no authority: code → name. It comes in force as every change of the law does: drafted by one
person, scheduled by another.
"""

from dataclasses import dataclass
from time import monotonic

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from moc import sight
from moc.rulesets.models import RuleSet
from registry.ders.choices import DerType

KEY = "technologies"


class _Added:
    """What was read last, in this process."""

    names: dict[str, str] = {}
    read_at: float | None = None


def technologies() -> list[tuple[str, str]]:
    """(code, name) of every technology: the field's choices. Read anew after `TECHNOLOGIES_SECONDS`; with None never."""
    seconds = settings.TECHNOLOGIES_SECONDS
    if seconds is not None and (_Added.read_at is None or monotonic() - _Added.read_at >= seconds):
        _read()
    return [*DerType.choices, *((code, name) for code, name in _Added.names.items() if code not in DerType.values)]


@sight.engine()  # the law is nobody's secret, and choices are asked for by whatever runs
def _read() -> None:
    try:
        _Added.names = RuleSet.objects.on(timezone.localdate()).filter(key=KEY, authority="").values_list("value", flat=True).first() or {}
    except DatabaseError:  # a command that runs before there is a table: what ships is known
        _Added.names = {}
    _Added.read_at = monotonic()


@dataclass(frozen=True)
class Technology:
    """A technology by its code; one that is no longer in force keeps its code as name."""

    code: str

    @property
    def label(self) -> str:
        return dict(technologies()).get(self.code, self.code)
