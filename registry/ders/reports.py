"""What screens and documents show of DERs: a record's facts, its place, and the state's capacity."""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

from django.apps import apps
from django.core.cache import cache
from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth
from django.utils.html import format_html

from moc import charts
from moc.access import policy
from moc.access.models import Organization
from registry.ders import dictionary
from registry.ders.choices import Technology, technologies
from registry.ders.inverters import in_words
from registry.ders.models import Der
from registry.grid.models import County
from registry.participants.services import labelled, masked

STATE_CACHE_S = 120
FILINGS = 50
CERTIFIED = (
    "external_id der_type manufacturer model serial_no nameplate_ac_kw energy_capacity_kwh commissioned_on premise_address zip_code".split()
)


def facts(der, *, personal: bool) -> list:
    """The record in the dictionary's groups, [(group, [(label, value, unit, help)])], of a DER or one of its versions.

    What was not given is named in one line. The owner is shown only with `personal`.
    """
    groups = [("Registry", registry_facts(der))]
    names = {field.name for field in Der._meta.concrete_fields}
    for group, filed in dictionary.by_group().items():
        rows = _given(der, [name for name in filed if name in names])
        if rows:
            groups.append((group, rows))
    if personal and der.owner_id:
        groups.append((dictionary.OWNER, owner_facts(der)))
    return groups


def registry_facts(der) -> list:
    """Who and where, as the registry knows it."""
    return [
        ("DER id (mRID)", str(der.uuid), None, None),
        ("Registered on", der.registered_on, None, None),
        ("Aggregator", _name(der, "aggregator"), None, None),
        ("Utility", _name(der, "edc"), None, None),
        ("Service point", _name(der, "service_point"), None, None),
        ("Feeder", _name(der, "feeder"), None, None),
        ("County", _name(der, "county"), None, None),
        ("Export limit by decision", der.export_limit_kw, "kW", None),
        ("Import limit by decision", der.import_limit_kw, "kW", None),
        ("Limits by time by decision", der.limits_by_time, None, None),
        ("Inverter settings by decision", "; ".join(in_words(der.inverter_settings or {})) or None, None, None),
    ]


def owner_facts(der) -> list:
    """Whose it is, masked: who needs it in full says what for."""
    return labelled(masked(der.owner))


def certified_facts(der) -> list:
    """The facts that a certificate states."""
    return [(_label(name), _words(der, name)) for name in CERTIFIED if _words(der, name) not in (None, "", [])]


def letterhead(der, moment: datetime | None) -> tuple[dict | None, bytes]:
    """The utility's words for the certificate of a DER, and its logo; nothing where it has none. Letters stand above: reached by name."""
    template = apps.get_model("registry", "LetterTemplate").objects.of(der.edc_id, "certificate", moment)
    if template is None:
        return None, b""
    values = {
        "utility": der.edc,
        "aggregator": der.aggregator,
        "der": der.external_id,
        "technology": _words(der, "der_type"),
        "registered_on": f"{der.registered_on:%Y-%m-%d}",
        "reference": der.uuid,
    }
    return template.words(values), bytes(template.logo)


def place(der) -> dict | None:
    """What includes/map.html needs; None for a DER without coordinates."""
    if der.latitude is None or der.longitude is None:
        return None
    point = {"lat": float(der.latitude), "lon": float(der.longitude), "label": f"{der.external_id}, {der.premise_address}", "url": ""}
    return {"title": "Where it stands", "identity": "der-place", "data": {"points": [point], "outline": None}}


def filings(der, user) -> list[tuple]:
    """[(filed row, decision)]: the newest filings of a DER and the decisions on them (or None), of those that a user may see.

    Filings stand above this slice: reached by name.
    """
    rows = apps.get_model("registry", "StagedDer").objects.visible_to(user)
    of_der = rows.filter(aggregator_id=der.aggregator_id, external_id=der.external_id)
    found = list(of_der.select_related("submission").order_by("-id")[:FILINGS])
    decisions = apps.get_model("registry", "Decision").objects.visible_to(user)
    told = decisions.in_bulk({row.decision_id for row in found if row.decision_id})
    return [(row, told.get(row.decision_id)) for row in found]


def readback(der, user):
    """The newest reading of the settings in force at a DER that a user may see, or None. Such readings stand above this slice too."""
    rows = apps.get_model("operations", "SettingsReadback").objects.visible_to(user)
    return rows.filter(der=der.pk).order_by("-at").first()


def envelope(der, user) -> int | None:
    """The key of a DER's operating envelope, if it has one that a user may see. Envelopes stand above this slice too."""
    rows = apps.get_model("operations", "EnvelopePoint").objects.visible_to(user)
    return rows.filter(der=der.pk).values_list("pk", flat=True).first()


def _given(der, names: list[str]) -> list:
    rows = [(_label(name), _words(der, name), None, None) for name in names]
    given = [row for row in rows if row[1] not in (None, "", [])]
    missing = [_bare_label(name) for name, row in zip(names, rows, strict=True) if row[1] in (None, "", [])]
    if given and missing:
        given.append(("Not given", format_html('<span class="usa-hint">{}</span>', ", ".join(missing)), None, None))
    return given


def _name(der, field: str) -> str:
    related = getattr(der, field)
    return str(related) if related is not None else ""


def _label(name: str) -> str:
    label = str(Der._meta.get_field(name).verbose_name)
    return label[:1].upper() + label[1:]


def _bare_label(name: str) -> str:
    """A field's label without its unit."""
    return str(Der._meta.get_field(name).verbose_name).partition(" (")[0]


def _words(der, name: str):
    return words(Der._meta.get_field(name), getattr(der, name))


def words(field, value):
    """A field's value in words: labels of codes."""
    choices = dict(getattr(field, "base_field", field).flatchoices or ())
    if not choices:
        return value
    return [choices.get(part, part) for part in value] if isinstance(value, list) else choices.get(value, value)


def capacity(rows) -> list[tuple]:
    """(technology, utility id, county, month of permission to operate, DERs, kW) of a queryset of DERs or versions: one pass."""
    month = TruncMonth("permission_to_operate_on")
    cut = rows.order_by().values("der_type", "edc_id", "county_id", month=month)
    return list(
        cut.annotate(ders=Count("pk"), kw=Sum("nameplate_ac_kw")).values_list("der_type", "edc_id", "county_id", "month", "ders", "kw")
    )


def capacity_by_technology(user, edc: int, moment: datetime | None = None) -> dict[str, tuple[int, Decimal]]:
    """technology → (DERs, kW) of a utility (by id) within the user's reach, now or as of a moment.

    A DER that came to the utility or left it is counted where it was.
    """
    rows = Der.objects.registered().filter(edc=edc)
    if moment is not None:
        versions = Der.history.model.objects.filter(edc=edc)
        rows = versions.exclude(status=Der.Status.DECOMMISSIONED).as_of(moment, among=versions)
    sums = policy.scope(rows, user).order_by().values("der_type").annotate(ders=Count("pk"), kw=Sum("nameplate_ac_kw"))
    return {technology: (ders, kw) for technology, ders, kw in sums.values_list("der_type", "ders", "kw")}


def then_and_now(user, edc: int, moment: datetime) -> list[tuple]:
    """[(technology, DERs then, kW then, DERs now, kW now)] of a utility, in the order of the technologies."""
    then, now = capacity_by_technology(user, edc, moment), capacity_by_technology(user, edc)
    found = [(code, name) for code, name in technologies() if code in then or code in now]
    return [(name, *then.get(code, (0, 0)), *now.get(code, (0, 0))) for code, name in found]


def state(user) -> dict:
    """Context of the state page: totals and charts over what the user may see, kept for a while for everybody of equal reach."""
    scope = ",".join(map(str, sorted(policy.reach(user, "view_registry"))))
    key = f"state:{sha256(scope.encode()).hexdigest()}"
    cells = cache.get(key)
    if cells is None:
        cells = capacity(Der.objects.registered().visible_to(user))
        cache.set(key, cells, STATE_CACHE_S)
    return figures(cells)


def figures(cells: list[tuple]) -> dict:
    """Totals and charts from the cells of `capacity`."""
    names = dict(Organization.objects.filter(pk__in={cell[1] for cell in cells}).values_list("pk", "name"))
    counties = dict(County.objects.values_list("fips", "name"))
    by_technology = _folded(cells, lambda cell: Technology(cell[0]).label)
    return {
        "ders": sum(cell[4] for cell in cells),
        "kw": sum(cell[5] or 0 for cell in cells),
        "technologies": by_technology,
        "charts": [
            _bars("technology", "Capacity by technology", by_technology, "Technology"),
            _bars("utility", "Capacity by utility", _folded(cells, lambda cell: names.get(cell[1], "")), "Utility"),
            _bars("county", "Capacity by county", _folded(cells, lambda cell: counties.get(cell[2], "Not known")), "County"),
        ],
        "monthly": _columns(cells),
    }


def _folded(cells: list[tuple], label) -> list[tuple[str, int, float]]:
    """(label, DERs, kW), largest first."""
    sums: dict[str, list] = defaultdict(lambda: [0, 0])
    for cell in cells:
        entry = sums[label(cell)]
        entry[0] += cell[4]
        entry[1] += cell[5] or 0
    return sorted(((name, ders, kw) for name, (ders, kw) in sums.items()), key=lambda row: -row[2])


def _bars(identity: str, title: str, rows: list, category: str) -> charts.Chart:
    in_mw = [(name, float(kw) / 1000) for name, _, kw in rows]
    return charts.bar_chart(in_mw, identity=f"capacity-{identity}", title=title, unit="MW", category=category)


def _columns(cells: list[tuple]) -> charts.Chart:
    """Capacity that was permitted to operate in each month, months without any included; what does not operate yet is left out."""
    sums: dict[date, float] = defaultdict(float)
    for cell in cells:
        if cell[3] is not None:
            sums[cell[3]] += float(cell[5] or 0) / 1000
    rows = [(f"{month:%Y-%m}", sums.get(month, 0.0)) for month in _months(min(sums), max(sums))] if sums else []
    return charts.column_chart(rows, identity="capacity-month", title="Capacity by month of permission to operate", unit="MW")


def _months(first: date, last: date) -> list[date]:
    spans = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(span // 12, span % 12 + 1, 1) for span in spans]
