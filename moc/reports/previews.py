"""What a page shows of a report before it is saved or run: its first rows, on real data, and its chart."""

from moc.reports import files, services
from moc.reports.datasets import NUMBERS, Result

SHOWN = 50


def of_form(user, form) -> dict:
    """The preview of what a valid form asks for. Raises UserError for what its dataset cannot answer."""
    spec, organization = form.spec(), form.cleaned_data["organization"]
    result = services.preview(user=user, organization=organization, source=form.source.code, spec=spec, rows=SHOWN + 1)
    return shown(result, form.source.title, spec.get("chart", ""))


def shown(result: Result, title: str, shape: str = "bars") -> dict:
    """What reports/result.html shows of a result."""
    return {
        "heads": [(head.title, head.kind in NUMBERS) for head in result.heads],
        "rows": [[(value, head.kind in NUMBERS) for value, head in zip(row, result.heads)] for row in result.rows[:SHOWN]],
        "notes": result.notes,
        "most": SHOWN,
        "more": len(result.rows) > SHOWN,
        "chart": files.chart_of(result, title, shape or "bars"),
        "shape": shape,
    }
