"""The verbs of a registered DER: its lifecycle (moves), and who holds it from which day on (tenures)."""

from registry.ders.services.moves import move
from registry.ders.services.tenures import apply_due, begin_tenure, end_tenure, hand_over

__all__ = ["apply_due", "begin_tenure", "end_tenure", "hand_over", "move"]
