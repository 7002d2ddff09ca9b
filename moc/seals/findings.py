"""What a verification found, and how much it read."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was sealed. `row` is the key (for history: the version's number)."""

    kind: str
    sentence: str
    seal: int | None = None
    table: str = ""
    row: int | None = None
    fields: tuple[str, ...] = ()

    def as_dict(self) -> dict:
        """For JSON."""
        return asdict(self)


class Findings(list):
    """All findings, and how much was read: sealed rows (`rows` of `total`), and rows that no seal covers yet."""

    rows = unsealed = total = 0

    def add(self, kind: str, sentence: str, **where) -> None:
        """One more finding."""
        self.append(Finding(kind, sentence, **where))
