"""Which of a utility's settings are in force."""

from moc.access.queries import ScopedQuerySet


class DatedQuerySet(ScopedQuerySet):
    """Settings that are in force on days."""

    def on(self, day) -> "DatedQuerySet":
        """In force on a day."""
        return self.filter(valid_during__contains=day)

    def not_over(self, day) -> "DatedQuerySet":
        """In force on a day or later."""
        return self.exclude(valid_during__fully_lt=(day, None))


class LetterQuerySet(ScopedQuerySet):
    """Versions of letters."""

    def of(self, edc_id: int, kind: str, moment=None):
        """The version in force now or at a moment; None where the utility has none."""
        rows = self.filter(edc_id=edc_id, kind=kind)
        return (rows.filter(created_at__lte=moment) if moment else rows).order_by("-version").first()
