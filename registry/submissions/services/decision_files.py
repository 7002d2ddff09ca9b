"""A decision file: read and checked as a whole, then carried out as one; errors name row, column and remedy."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation

from moc.access import policy
from moc.errors import UserError
from moc.readers import FileRefused, Limits, Vocabulary, fold, open_rows
from registry.ders import inverters
from registry.submissions.models import Decision, StagedDer, UtilityReview
from registry.submissions.services import bulk_decisions, reviewing
from registry.submissions.services.practice import practice_of

COLUMNS = ("external_id", "row_number", "decision", "reason_code", "statement", "export_limit_kw", "import_limit_kw", *inverters.KINDS)
VOCABULARY = Vocabulary(
    names=COLUMNS,
    aliases={"id": "external_id", "row": "row_number", "reason": "reason_code", "export limit": "export_limit_kw"},
    required=("decision",),
)
MOST_ROWS, MOST_DECISIONS, MOST_PROBLEMS = 200_000, 200, 200
KINDS = {fold(text): kind for kind in Decision.BY_PEOPLE for text in (kind.value, kind.label)} | {
    "approved": Decision.Kind.APPROVE,
    "denied": Decision.Kind.DENY,
}
REASONS = {fold(text): reason for reason in Decision.Reason for text in (reason.value, reason.label, reason.name)}
DECIDABLE = (StagedDer.Status.PENDING, StagedDer.Status.INFO_REQUESTED)
BLAMED = {
    "DECISION-REASON": "reason_code",
    "DECISION-EVIDENCE": "decision",
    "DECISION-LIMITS": "export_limit_kw",
    "DECISION-QUESTION": "statement",
}
SAID = {
    "DECISION-ROW-MISSING": ("The row names no DER.", "Fill external_id or row_number."),
    "DECISION-ROW-UNKNOWN": ("This review has no such row.", "Export the rows of the review and take the id from there."),
    "DECISION-ROW-AMBIGUOUS": ("external_id and row_number name different rows.", "Leave one of them empty."),
    "DECISION-ROW-TWICE": ("An earlier row of the file decides the same DER.", "Keep one of the rows."),
    "DECISION-ROW-DECIDED": ("This DER is decided already.", "Take the row out of the file."),
    "DECISION-KIND": ("This is not a decision.", "Write approve, approve_limited, request_info or deny."),
    "DECISION-LIMITS-BY-FILE": ("This utility's practice sets limits by hand, not by file.", "Take the row out and decide it on its page."),
    "DECISION-NUMBER": ("This is not a limit in kW.", "Give digits with a decimal point, zero or more, no unit."),
    "DECISION-SETTINGS-KIND": ("Inverter settings are issued with limits only.", "Write approve_limited with a limit, or empty this cell."),
    "DECISION-REASON": ("This is not a ground of the closed list.", f"Write one of {', '.join(Decision.Reason.values)}."),
}
_ESCAPED = re.compile(r"\\([\\tnr])")
_PLAIN = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell of a decision file."""

    row: int
    column: str
    value: str
    code: str
    sentence: str
    remedy: str


class DecisionFileRefused(UserError):
    """The file is not carried out; `problems` are the first of its faults, as dictionaries."""

    code = "DECISION-FILE"

    def __init__(self, problems: list[Problem], number: int):
        self.problems = [asdict(problem) for problem in problems]
        super().__init__(f"{number:,} problems in the decision file; nothing was decided.", "Correct them and upload the file again.")


def decide_by_file(*, actor, review: UtilityReview, upload, evidence_upload=None) -> bulk_decisions.Outcome:
    """Carry out a decision file as one: all its decisions, or none. `upload` is a file on disk with `temporary_file_path()`.

    Raises DecisionFileRefused with its problems, UserError for a file that cannot be read, Conflict when a row was decided meanwhile.
    """
    policy.require(actor, "review_ders", review.edc)
    try:
        rows = list(_rows(upload))
    except FileRefused as refused:
        raise UserError(refused.sentence, refused.remedy, f"FILE-{refused.code.upper().replace('_', '-')}") from refused
    plans = _Check(review, bool(evidence_upload)).plans(rows)
    return bulk_decisions.carry_out(
        actor=actor,
        review=review,
        plans=plans,
        rows_of=lambda selection: StagedDer.objects.of_review(review).filter(row_number__in=selection["rows"]),
        evidence_upload=evidence_upload,
    )


def _rows(upload) -> Iterator[tuple[int, dict[str, str]]]:
    """(number, cells by column) of the file's rows."""
    limits = Limits(rows=MOST_ROWS, file_bytes=64 * 2**20)
    with open_rows(upload.temporary_file_path(), name=upload.name, vocabulary=VOCABULARY, limits=limits) as reader:
        for block in reader.blocks():
            for line in block.copy_text.decode().rstrip("\n").split("\n"):
                number, _, *cells = line.split("\t")
                yield int(number), dict(zip(reader.sheet.recognised, map(_unescaped, cells), strict=True))


def _unescaped(cell: str) -> str:
    return _ESCAPED.sub(lambda found: _PLAIN[found[1]], cell) if "\\" in cell else cell


class _Check:
    """Holds a file's rows against the review."""

    def __init__(self, review: UtilityReview, has_evidence: bool):
        self.evidence = object() if has_evidence else None
        self.takes_limits = practice_of(review.edc).limits_by_file
        self.problems: list[Problem] = []
        self.number, self.seen = 0, set()
        self.by_id: dict[str, tuple[int, str]] = {}
        self.by_number: dict[int, tuple[int, str]] = {}
        rows = StagedDer.objects.of_review(review).values_list("row_number", "status", "external_id")
        for row_number, status, external_id in rows.iterator(10_000):
            self.by_id[external_id] = self.by_number[row_number] = (row_number, status)

    def plans(self, rows: Iterable[tuple[int, dict[str, str]]]) -> list[bulk_decisions.Plan]:
        """One plan for each different decision. Raises DecisionFileRefused."""
        groups: dict[str, tuple[dict, list[int]]] = {}
        for number, cells in rows:
            found, terms = self._row(number, cells), self._terms(number, cells)
            if found and terms:
                groups.setdefault(json.dumps(terms, default=str), (terms, []))[1].append(found)
        if self.problems:
            raise DecisionFileRefused(self.problems, self.number)
        if len(groups) > MOST_DECISIONS:
            raise UserError(
                f"The file makes {len(groups):,} different decisions; at most {MOST_DECISIONS} are taken from one file.",
                "Write equal statements alike: each decision is one letter to the aggregator.",
                "DECISION-FILE",
            )
        return [bulk_decisions.Plan(terms, {"rows": found}, len(found)) for terms, found in groups.values()]

    def _problem(self, number: int, column: str, value: str, code: str, said: tuple[str, str] | None = None) -> None:
        self.number += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(number, column, value[:200], code, *(said or SAID[code])))

    def _row(self, number: int, cells: dict[str, str]) -> int | None:
        """The staged row that a row of the file means."""
        external_id, row_number = cells.get("external_id", ""), cells.get("row_number", "")
        if not external_id and not row_number:
            return self._problem(number, "external_id", "", "DECISION-ROW-MISSING")
        column, value = ("external_id", external_id) if external_id else ("row_number", row_number)
        by_number = self.by_number.get(int(row_number)) if row_number.isdecimal() and len(row_number) < 10 else None
        found = self.by_id.get(external_id) if external_id else by_number
        if found is None:
            return self._problem(number, column, value, "DECISION-ROW-UNKNOWN")
        if external_id and row_number and found != by_number:
            return self._problem(number, "row_number", row_number, "DECISION-ROW-AMBIGUOUS")
        if found[0] in self.seen:
            return self._problem(number, column, value, "DECISION-ROW-TWICE")
        self.seen.add(found[0])
        if found[1] not in DECIDABLE:
            return self._problem(number, column, value, "DECISION-ROW-DECIDED")
        return found[0]

    def _terms(self, number: int, cells: dict[str, str]) -> dict[str, object] | None:
        """The decision's terms, as `reviewing.decide` takes them."""
        kind = KINDS.get(fold(cells.get("decision", "")))
        if kind is None:
            return self._problem(number, "decision", cells.get("decision", ""), "DECISION-KIND")
        if kind == Decision.Kind.APPROVE_LIMITED and not self.takes_limits:
            return self._problem(number, "decision", cells["decision"], "DECISION-LIMITS-BY-FILE")
        before = self.number
        reason = self._reason(number, cells.get("reason_code", "")) if kind == Decision.Kind.DENY else ""
        limited = kind == Decision.Kind.APPROVE_LIMITED
        limits = {name: self._limit(number, name, cells.get(name, "")) if limited else None for name in bulk_decisions.LIMITS}
        settings = self._settings(number, cells, limited)
        terms = {
            "kind": kind.value,
            "statement": cells.get("statement", ""),
            "reason_code": reason,
            **limits,
            "inverter_settings": settings,
        }
        if self.number > before:
            return None
        try:
            reviewing.require_complete(kind, terms["statement"], reason, self.evidence, (*limits.values(), None))
        except UserError as lacking:
            column = BLAMED[lacking.code]
            return self._problem(number, column, cells.get(column, ""), lacking.code, (lacking.sentence, lacking.remedy))
        return terms

    def _reason(self, number: int, text: str) -> str:
        reason = REASONS.get(fold(text))
        if reason is None:
            self._problem(number, "reason_code", text, "DECISION-REASON")
        return reason.value if reason else ""

    def _settings(self, number: int, cells: dict[str, str], limited: bool) -> dict | None:
        """Inverter settings of a row, numbers and curves as JSON; None without."""
        given = {name: cells[name] for name in inverters.KINDS if cells.get(name)}
        if not given:
            return None
        if not limited:
            column = next(iter(given))
            return self._problem(number, column, given[column], "DECISION-SETTINGS-KIND")
        said = {}
        for column, text in given.items():
            try:
                said[column] = json.loads(text)
            except ValueError:
                wish = "a number" if column in ("power_factor", "max_w") else "a JSON list of [voltage per unit, value]"
                return self._problem(number, column, text, "DECISION-SETTINGS", ("This is no inverter setting.", f"Write {wish}."))
        try:
            return inverters.checked(said)
        except inverters.WrongSettings as wrong:
            remedy = "Correct it, or empty the cell: IEEE 1547-2018 has these settings."
            return self._problem(number, wrong.field, given.get(wrong.field, ""), "DECISION-SETTINGS", (wrong.sentence, remedy))

    def _limit(self, number: int, column: str, text: str) -> Decimal | None:
        if not text:
            return None
        try:
            limit = Decimal(text)
        except InvalidOperation:
            limit = Decimal("NaN")
        if not limit.is_finite() or limit < 0 or limit >= 10**11:
            return self._problem(number, column, text, "DECISION-NUMBER")
        return limit.quantize(Decimal("0.001"))
