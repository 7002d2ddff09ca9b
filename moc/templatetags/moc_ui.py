"""What every page of the portal needs to show a value: one way to write a quantity, a moment, a status, a filter."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

register = template.Library()

NBSP = "\u00a0"
DASH = "–"
MOMENT = timedelta(microseconds=1)
PAGING = ("after", "before", "page", "cursor", "count")

TONES = {
    "good": "active approved approved_limited approved_with_limits deemed_approved effective answered accepted registered qualified "
    "complete completed done succeeded passed sent verified",
    "busy": "submitted queued running in_review du_review under_review completeness pending processing checking staged staging deciding",
    "heed": "returned denial_proposed proposed info_requested information_requested escalated due_soon warning paused suspended "
    "disputed expiring partly_decided",
    "bad": "denied rejected failed error expired overdue revoked refused disqualified",
    "past": "draft withdrawn cancelled retired superseded closed inactive removed decommissioned replaced",
}
TONE_OF = {status: tone for tone, statuses in TONES.items() for status in statuses.split()}


@register.filter
def status_tone(status) -> str:
    """The tone of a status (good, busy, heed, bad, past); a status that the table does not name is plain."""
    return TONE_OF.get(str(status), "plain")


@register.simple_tag
def status_tag(status, label="") -> SafeString:
    """A status as a tag: its words, and a mark whose shape (not colour alone) tells the tone."""
    words = label or str(status).replace("_", " ").capitalize()
    return format_html('<span class="usa-tag moc-status moc-status--{}">{}</span>', status_tone(status), words)


@register.filter
def number(value) -> str:
    """A number with thousands separators and at most three decimals, without trailing zeros; empty for None."""
    if value is None or value == "":
        return ""
    text = f"{Decimal(str(value)):,.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


@register.filter
def quantity(value, unit: str = "kW") -> str:
    """A number with its unit, kept on one line; a dash for None."""
    return f"{number(value)}{NBSP}{unit}" if value is not None and value != "" else DASH


@register.filter
def megawatts(value) -> str:
    """A power in kW, written in MW with one decimal when it is a MW or more, else in kW."""
    if value is None or value == "":
        return DASH
    power = Decimal(str(value))
    return f"{power / 1000:,.1f}{NBSP}MW".replace("-", "−") if abs(power) >= 1000 else quantity(power, "kW")


@register.filter
def local_time(value) -> SafeString | str:
    """A moment in the state's zone, with the zone's name, as <time>; a date as it is; a dash for None."""
    if not value:
        return DASH
    if not isinstance(value, datetime):
        return format_html('<time datetime="{0}">{0}</time>', value.isoformat())
    local = timezone.localtime(value)
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), local.strftime(f"%Y-%m-%d{NBSP}%H:%M{NBSP}%Z"))


@register.filter
def display(value, unit: str | None = None) -> SafeString | str:
    """Any value of a record as a person reads it: yes and no, numbers, moments, lists; a dash for nothing."""
    if isinstance(value, SafeString):
        return value
    if value is None or value == "" or value == [] or value == ():
        return DASH
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (datetime, date)):
        return local_time(value)
    if isinstance(value, (int, float, Decimal)):
        return quantity(value, unit) if unit else number(value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {display(part)}" for name, part in value.items()) or DASH
    if hasattr(value, "upper_inc"):
        return _period(value)
    if isinstance(value, Iterable) and not isinstance(value, (str, Promise)):
        return ", ".join(str(display(part)) for part in value)
    return f"{value}{NBSP}{unit}" if unit else str(value)


def _period(value) -> SafeString:
    """A range of dates or moments in words; an open end is left out."""
    starts = format_html("from {}", local_time(value.lower)) if value.lower else SafeString("")
    ends = format_html("until {}", local_time(value.upper)) if value.upper else SafeString("")
    return format_html("{} {}", starts, ends) if starts and ends else starts or ends or SafeString("always")


@register.filter
def identifier(value) -> SafeString | str:
    """An integer that names something (an EIA id, a row): never with thousands separators."""
    return str(value) if value is not None and value != "" else DASH


@register.filter
def days_left(due_at) -> SafeString | str:
    """The local calendar days until a deadline, as a tag that grows urgent: five days before, on the day, after it.

    A deadline at midnight is the end of the day before.
    """
    if not due_at:
        return DASH
    due_on = timezone.localtime(due_at - MOMENT).date() if isinstance(due_at, datetime) else due_at
    days = (due_on - timezone.localdate()).days
    if days < 0:
        return status_tag("overdue", f"{-days} day{'s' if days < -1 else ''} overdue")
    if days == 0:
        return status_tag("due_soon", "due today")
    words = f"{days} day{'s' if days > 1 else ''} left"
    return status_tag("due_soon", words) if days <= 5 else format_html('<span class="moc-days">{}</span>', words)


@register.simple_tag
def row_cells(row, labelled: bool = False) -> SafeString:
    """The cells of a table's row; the first is its header and bears the row's address. In Python, because a page has thousands.

    Labelled cells bear their column's name, for the stacked form on narrow screens."""
    cells = (cell(column, value, url, row.url, place == 0, labelled) for place, (column, value, url) in enumerate(row.cells))
    return SafeString("".join(cells))


def cell(column, value, url=None, row_url=None, heads_row: bool = False, labelled: bool = False) -> SafeString:
    """One cell, shown as its column's kind wants it (see CELLS) and linked where there is an address."""
    shown = conditional_escape(CELLS.get(getattr(column, "kind", ""), display)(value))
    address = url or (row_url if heads_row else None)
    if address:
        shown = format_html('<a href="{}">{}</a>', address, shown)
    numeric = ' class="moc-num"' if column.numeric else ""
    label = format_html(' data-label="{}"', column.label) if labelled else ""
    return SafeString(f'<th scope="row"{numeric}>{shown}</th>' if heads_row else f"<td{numeric}{label}>{shown}</td>")


def _status_cell(value) -> SafeString | str:
    """A status given as (status, label), or as the status alone."""
    if isinstance(value, (tuple, list)):
        return status_tag(*value)
    return status_tag(value) if value else DASH


CELLS = {"status": _status_cell, "code": identifier, "deadline": days_left, "megawatts": megawatts}


@register.simple_tag(takes_context=True)
def query_without(context, name: str, value=None) -> str:
    """The page's address without one filter (or without one of its values), back on the first page."""
    query = context["request"].GET.copy()
    kept = [other for other in query.getlist(name) if value is not None and other != str(value)]
    query.setlist(name, kept) if kept else query.pop(name, None)
    for key in PAGING:
        query.pop(key, None)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def query_with(context, **changes) -> str:
    """The page's address with some parameters set (None removes one), back on the first page."""
    query = context["request"].GET.copy()
    for key in PAGING:
        query.pop(key, None)
    for key, value in changes.items():
        query.pop(key, None) if value is None else query.__setitem__(key, value)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def active_filters(context, filterset) -> list[dict]:
    """The filters in force, as {label, text, url}: what is filtered, by what, and the address without it."""
    request = context.get("request")
    if filterset is None or request is None:
        return []
    form, chips = filterset.form, []
    for name in request.GET:
        field = form.fields.get(name) or form.fields.get(name.rpartition("_")[0])
        if field is None or field.widget.is_hidden:
            continue
        label = field.label or name.replace("_", " ").capitalize()
        for value in filter(None, request.GET.getlist(name)):
            text = f"{_bound_word(name, form)}{_choice_label(field, value)}"
            chips.append({"label": label, "text": text, "url": query_without(context, name, value)})
    return chips


def _bound_word(name: str, form) -> str:
    """'from' or 'to' for the halves of a range filter, whose parameters end in _min and _max or _after and _before."""
    if name in form.fields:
        return ""
    return {"min": "from ", "after": "from ", "max": "to ", "before": "to "}.get(name.rpartition("_")[2], "")


def _choice_label(field, value: str) -> str:
    """What the field's choices call a submitted value; the value itself when it has none. One query for a model choice."""
    queryset = getattr(field, "queryset", None)
    if queryset is not None:
        try:
            chosen = queryset.filter(**{field.to_field_name or "pk": value}).first()
        except (TypeError, ValueError):
            chosen = None
        return str(chosen) if chosen else value
    choices = getattr(field.widget, "choices", None) or []
    for key, label in choices:
        grouped = label if isinstance(label, (list, tuple)) else [(key, label)]
        for code, words in grouped:
            if str(code) == value:
                return str(words)
    return value


@register.inclusion_tag("includes/facts.html")
def facts(groups) -> dict:
    """Groups of facts, [(title, [(label, value, unit, help)])], as definition lists."""
    return {"facts": groups}
