"""What screens show of grid records and loads."""

from django.db import models
from django.db.models import Count

from moc.portal import paging
from moc.rules import registry
from registry.grid.models import GridFinding, GridLoad

FINDINGS_PAGE = 50
BY_ROW = paging.Sort("row", ("row_number", "id"))
UNITS = {"nominal_kv": "kV", "rated_kva": "kVA", "nominal_voltage_v": "V"}


def facts(record: models.Model) -> list:
    """A grid record's fields as one group of facts."""
    fields = [field for field in record._meta.concrete_fields if not field.primary_key and not field.name.startswith("history_")]
    tracked = {field.name for field in getattr(type(record), "tracked_fields", fields)}
    rows = [(_label(field), _value(record, field), UNITS.get(field.name), None) for field in fields if field.name in tracked]
    return [("Record", [row for row in rows if row[1] not in (None, "")])]


def _label(field: models.Field) -> str:
    label = str(field.verbose_name)
    return label[:1].upper() + label[1:]


def _value(record, field: models.Field):
    value = getattr(record, field.name)
    return str(value) if field.is_relation and value is not None else value


def counts_by_rule(load: GridLoad) -> list[dict]:
    """Findings of a load counted by rule, as includes/findings.html shows them."""
    found = load.findings.order_by().values_list("code", "severity").annotate(Count("id")).order_by("-id__count", "code")
    return [{"code": code, "severity": severity, "count": number, "sentence": registry[code].sentence} for code, severity, number in found]


def findings_page(load: GridLoad, params, address) -> tuple[list[dict], dict]:
    """One page of a load's findings and its neighbours' addresses."""
    found = paging.find(load.findings.all(), None, BY_ROW, FINDINGS_PAGE, after=params.get("after", ""), before=params.get("before", ""))
    by_pk = GridFinding.objects.in_bulk(found.keys)
    page = {
        "previous_url": address(before=found.previous) if found.previous else None,
        "next_url": address(after=found.following) if found.following else None,
    }
    return [shown(by_pk[pk]) for pk in found.keys], page


def shown(finding: GridFinding) -> dict:
    """A finding as includes/findings.html shows it."""
    rule = registry[finding.code]
    return {
        "row_number": finding.row_number,
        "column": finding.column,
        "value": finding.value,
        "code": finding.code,
        "severity": finding.severity,
        "sentence": rule.sentence,
        "remedy": rule.remedy,
    }
