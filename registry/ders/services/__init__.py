"""The verbs of a registered DER: who holds it from which day on. Its facts and its status change by filings (registry.submissions)."""

from registry.ders.services.tenures import apply_due, begin_tenure, end_tenure, hand_over

__all__ = ["apply_due", "begin_tenure", "end_tenure", "hand_over"]
