"""Pages of envelopes: DERs' limits with their reasons, runs with their price and moves, and what aggregators received."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from moc import charts
from moc.access import policy
from moc.exports import CsvExport
from moc.portal import Create, Detail, List, Transition, Update
from moc.portal.shell import url_of
from moc.portal.streaming import Tally
from operations.computed.views import ComputedDetail
from operations.envelopes import reports
from operations.envelopes.filters import PointFilterSet, ReceiptFilterSet, RunFilterSet
from operations.envelopes.forms import EditForm, OrderForm
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy, EnvelopeReceipt, EnvelopeRun
from operations.envelopes.reasons import KINDS, overrun
from operations.envelopes.services import life, ruled
from operations.envelopes.tables import POINT_TABLE, RECEIPT_TABLE, RUN_TABLE
from operations.network.models import NetworkVersion
from registry.ders.inverters import in_words
from registry.ders.models import Der
from registry.grid.forms import utilities_of

SHOWN, SHARERS = 20, 8  # alarms, and elements that bind; DERs that share one
LANE = 34  # pixels
POINTS = (("Envelopes", "operations:envelopes"),)
RUNS = (*POINTS, ("Runs", "operations:envelope_runs"))
RECEIPTS = (*POINTS, ("Sets received", "operations:envelope_receipts"))


class Points(List):
    """The DERs within reach that have an envelope."""

    model = EnvelopePoint
    title = "Envelopes"
    lead = (
        "What each DER's connection point may import and export, interval by interval, and why. In the CSV a limit below zero is a duty: "
        "an import limit of −2 kW has it inject 2 kW at least, an export limit of −2 kW has it draw as much."
    )
    noun = "DERs with an envelope"
    table = POINT_TABLE
    filterset_class = PointFilterSet
    exports = (("CSV of all intervals", "operations:envelopes_csv"),)
    export_name = "envelopes"

    def page_rows(self) -> list[dict]:
        rows = super().page_rows()
        now = reports.now_of(list(EnvelopePoint.objects.filter(pk__in=[row["pk"] for row in rows])))
        return [row | dict(zip(("import_now", "export_now"), now[row["pk"]], strict=True)) for row in rows]

    def actions(self) -> list[tuple[str, str, bool]]:
        shown = [("Sets received", reverse("operations:envelope_receipts"), False)]
        shown.append(("What sets held back", url_of("operations:envelope_outcomes"), False))
        if not policy.scope(NetworkVersion.objects.all(), self.request.user, self.permission).exists():
            return shown
        pages = (("Runs", "envelope_runs"), ("Transformer alarms", "transformer_alarms"), ("Networks", "networks"))
        return [*shown, *((label, reverse(f"operations:{name}"), False) for label, name in pages)]


class PointsCsv(CsvExport):
    """The limits of the list as filtered, one row an interval of every DER."""

    list_view = Points

    def blocks(self, view, tally: Tally) -> Iterator[bytes]:
        return reports.csv_of(view.selected("export"), tally)


class PointDetail(Detail):
    """One DER's envelope: limits as a chart and a table, and the reason of each in words."""

    model = EnvelopePoint
    key = "pk"
    template_name = "operations/envelopes/point.html"
    parents = POINTS
    related = ("der", "der__service_point", "feeder", "edc")

    def get_title(self) -> str:
        return f"Envelope of {self.object.der}"

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("What its sets held back", url_of("operations:envelope_outcomes", der=self.object.der.uuid), False)]

    def facts(self) -> list:
        first, der, sets = self.limits[0], self.object.der, {each.number: each.content_hash for each in self.limits if each.number}
        rows = [
            ("In force", self._in_force(), None, ""),
            ("DER", linked(reverse("registry:der_detail", args=[der.uuid]), der), None, ""),
            ("Feeder", self.object.feeder, None, ""),
            ("Service point", der.service_point, None, ""),
            ("Utility", self.object.edc, None, ""),
            *((f"Set {number}", content_hash, None, "SHA-256") for number, content_hash in sorted(sets.items())),
            ("Without envelope", _pair(first.fallback), None, "when communication is lost, or no set is in force"),
            ("After an outage", _pair(first.outage), None, "until the utility says otherwise"),
            ("Reactive power", reports.reactive_of(der), None, ""),
            ("Inverter settings", "; ".join(in_words(der.inverter_settings or {})) or None, None, "issued by the utility's decision"),
            ("Limits by time", der.limits_by_time, None, "by the utility's decision; the limits hold them"),
        ]
        return [("Envelope", rows)]

    def _in_force(self) -> str:
        """What holds now."""
        holds = next((each for each in self.limits if each.ends_at > timezone.now()), None)
        if holds is None or not holds.number:
            return "no set: the limits without envelope hold"
        if holds.starts_at > timezone.now():
            return f"a published set from {timezone.localtime(holds.starts_at):%b %d, %H:%M} on; until then the limits without envelope"
        return "a published set"

    @cached_property
    def limits(self) -> list[reports.Limits]:
        return reports.limits_of([self.object])[self.object.pk]

    def get_context_data(self, **kwargs) -> dict:
        times = [moment for each in self.limits for moment in each.times]
        lines = {
            "export limit": [value for each in self.limits for value in each.max_kw],
            "import limit": [0.0 - value for each in self.limits for value in each.min_kw],
        }
        facts = {"identity": "envelope", "title": "Limits", "unit": "kW", "zone": settings.TIME_ZONE}
        shown = {"series": charts.time_series(times, lines, **facts), "kvar": self._kvar()}
        rows = [row for each in self.limits for row in reports.explained(each)]
        shown |= {"reasons": self._with_sharers(rows), "lanes": _lanes(rows), "kinds": {row["kind"]: KINDS[row["kind"]] for row in rows}}
        return super().get_context_data(**shown | kwargs)

    def _with_sharers(self, rows: list[dict]) -> list[dict]:
        """The rows with the DERs within the reader's sight that the same element stops: the first, and how many more."""
        keys = reports.sharers_of(rows, self.object.der_id)
        seen = Der.objects.visible_to(self.request.user).in_bulk({each for ders in keys for each in ders})
        shown = [[seen[each] for each in ders if each in seen] for ders in keys]
        return [row | {"sharers": ders[:SHARERS], "more": len(ders[SHARERS:])} for row, ders in zip(rows, shown, strict=True)]

    def _kvar(self) -> dict | None:
        """The limits in kvar of the sets that hold any, both ways."""
        held = [each for each in self.limits if each.kvar]
        lines = {
            f"{side} while {way}ing": [value for each in held for value in each.kvar[way][n]]
            for way in ("export", "import")
            for n, side in enumerate(("least", "most"))
        }
        facts = {"identity": "kvar", "title": "Reactive power (negative: absorbed)", "unit": "kvar", "zone": settings.TIME_ZONE}
        return charts.time_series([moment for each in held for moment in each.times], lines, **facts) if held else None


def _lanes(rows: list[dict]) -> list[dict]:
    """What stops a DER over time, one lane a direction: segments with their places in percent of all that is shown."""
    first, last = min(row["since"] for row in rows), max(row["until"] for row in rows)
    percent = lambda moment: 100 * (moment - first) / (last - first)  # noqa: E731
    lanes: dict[str, list] = {}
    for row in rows:
        x = percent(row["since"])
        part = {"x": f"{x:.3f}%", "width": f"{percent(row['until']) - x:.3f}%"}
        lanes.setdefault(row["bound"], []).append(row | part)
    return [{"bound": bound, "y": LANE * number, "parts": parts} for number, (bound, parts) in enumerate(lanes.items())]


def linked(url: str, name) -> SafeString:
    """A link as the value of a fact."""
    return format_html('<a href="{}">{}</a>', url, name)


def _pair(kw: dict[str, float]) -> str:
    return f"import {kw['import_kw']:g} kW, export {kw['export_kw']:g} kW"


class Runs(List):
    """The runs within reach, newest first."""

    model = EnvelopeRun
    title = "Envelope runs"
    lead = "Each run computes the envelopes of one feeder over a window; one that passed its AC check can be published as a set."
    noun = "runs"
    table = RUN_TABLE
    filterset_class = RunFilterSet
    parents = POINTS

    def actions(self) -> list[tuple[str, str, bool]]:
        shown = [("Policies", reverse("operations:envelope_policies"), False)]
        may = utilities_of(self.request.user).exists()
        return [*shown, ("Compute envelopes", reverse("operations:envelope_run_new"), True)] if may else shown


class NewRun(Create):
    """A feeder and a window whose envelopes are computed."""

    title = "Compute envelopes"
    lead = "The same feeder, network, window and policy give the run that there is already."
    permission = life.PERMISSION
    parents = RUNS
    form_class = OrderForm
    submit_label = "Compute"

    def allowed(self) -> bool:
        return utilities_of(self.request.user).exists()

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> EnvelopeRun:
        return life.order(actor=self.request.user, **form.cleaned_data)

    def done_url(self, result: EnvelopeRun) -> str:
        return reverse("operations:envelope_run", args=[result.uuid])


class RunDetail(ComputedDetail):
    """One run: its window and policy, what fairness costs, alarms of the base case, receipts, and its moves."""

    model = EnvelopeRun
    template_name = "operations/envelopes/run.html"
    transition_url = "operations:envelope_run_transition"
    parents = RUNS
    related = ("edc", "feeder", "network", "network__document", "network__feeder", "job")

    def actions(self) -> list[tuple[str, str, bool]]:
        run = self.object
        if not run.point_count:
            return []
        shown = [("Envelopes of its DERs", url_of("operations:envelopes", feeder=run.feeder.code), False)]
        if run.number:
            this = {"feeder": run.feeder.code, "number": run.number, "edc": run.edc_id}
            shown.append(("What it held back", url_of("operations:envelope_outcomes", **this), False))
        may = run.status in ("evaluated", "published", "held") and policy.allows(self.request.user, life.PERMISSION, run.edc)
        return [("Limit one DER", reverse("operations:envelope_run_edit", args=[run.uuid]), False), *shown] if may else shown

    def facts(self) -> list:
        run = self.object
        safe = "whatever part of the limits is used" if run.policy["robust"] else "only where all limits are used at once"
        rows = [
            ("Feeder", run.feeder, None, ""),
            ("Network", linked(reverse("operations:network", args=[run.network.uuid]), run.network.document.name), None, ""),
            ("From", run.starts_at, None, ""),
            ("To", run.ends_at, None, f"{run.intervals} intervals of {run.step_minutes} minutes"),
            ("Policy", EnvelopePolicy.Method(run.policy["method"]).label, None, ruled.whose(run.policy, "method") or "the utility's own"),
            ("Safe", safe, None, ""),
            ("Weights of programs", _weights(run.policy), None, ruled.whose(run.policy, "weights")),
            ("Base case", self._base_case(), None, "loads of everybody beside the DERs"),
            ("Voltage", f"{float(run.policy['v_min_pu']):g} to {float(run.policy['v_max_pu']):g} per unit", None, ""),
            ("State of the grid", reports.situation_of(run) or None, None, "events and outages that the run takes account of"),
            ("Operator's own limits", len(run.caps) or None, None, "DERs"),
            ("Granted room", len(run.room) or None, None, "DERs that get theirs before the others share"),
            ("Points", run.point_count, None, "with active DERs"),
            ("Intervals without room", run.unchecked, None, "that did not pass the AC check"),
            ("Computed in", run.cpu_s, "s", "of one core"),
            ("Set", run.number, None, "published on this feeder"),
            ("SHA-256 of the set", run.content_hash, None, ""),
        ]
        return [("Run", rows)]

    def _base_case(self) -> SafeString | str:
        forecasts = reports.forecasts_of(self.object)
        if not forecasts:
            return "the typical day of the feeder's model: there is no forecast for it whose errors are known"
        links = [linked(reverse("operations:forecast", args=[each.pk]), f"forecast of {each.day:%b %d}") for each in forecasts]
        moments = [reports.clock(each.published_at) for each in forecasts]
        told = format_html_join("; ", "{} published {}", zip(links, moments, strict=True))
        rest = "" if reports.is_forecast(self.object) else "; other days typical ones of the model"
        return format_html("{}, held with P10 and P90{}", told, rest)

    def get_context_data(self, **kwargs) -> dict:
        run = self.object
        bindings = reports.bindings_of(run)
        shown = {"receipts": run.receipts.select_related("aggregator").order_by("aggregator__name")}
        shown |= {"bindings": bindings[:SHOWN], "binding_count": len(bindings)}
        step = timedelta(minutes=run.step_minutes)
        named = ("kind", "element", "value", "limit")
        shown["alarms"] = [(overrun(*map(alarm.get, named)), run.starts_at + step * alarm["interval"]) for alarm in run.alarms[:SHOWN]]
        if lines := reports.totals_of(run):
            facts = {"identity": "run", "title": "Limits of all points together", "unit": "kW", "zone": settings.TIME_ZONE}
            shown["series"] = charts.time_series([run.starts_at + step * i for i in range(run.intervals)], lines, **facts)
        return super().get_context_data(**shown | kwargs)


def _weights(policy: dict) -> str | None:
    return ", ".join(f"{code} {weight}" for code, weight in policy.get("weights", {}).items()) or None


class EditRun(Update):
    """An operator's own limits for one DER; the run is computed anew with them."""

    model = EnvelopeRun
    title = "Limit one DER"
    lead = "The envelopes are computed and checked again with these limits; the new run is published in place of this one."
    permission = life.PERMISSION
    parents = RUNS
    form_class = EditForm
    submit_label = "Compute with these limits"
    versioned = False

    def get_form_kwargs(self) -> dict:
        return {"run": self.object}

    def perform(self, form) -> EnvelopeRun:
        return life.edit(actor=self.request.user, run=self.object, **form.cleaned_data)

    def done_url(self, result: EnvelopeRun) -> str:
        return reverse("operations:envelope_run", args=[result.uuid])


class RunTransition(Transition):
    """Publish, hold, deactivate."""

    model = EnvelopeRun
    detail_url = "operations:envelope_run"

    def move(self, actor, obj: EnvelopeRun, name: str, reason: str) -> None:
        life.MOVES[name](actor=actor, run=obj, reason=reason)


class Receipts(List):
    """The published sets that aggregators within reach were told of."""

    model = EnvelopeReceipt
    title = "Sets received"
    noun = "sets"
    table = RECEIPT_TABLE
    filterset_class = ReceiptFilterSet
    parents = POINTS


class ReceiptDetail(Detail):
    """One set that an aggregator was told of, and its acknowledgement."""

    model = EnvelopeReceipt
    transition_url = "operations:envelope_receipt_transition"
    parents = RECEIPTS
    related = ("edc", "aggregator")

    def actions(self) -> list[tuple[str, str, bool]]:
        changed = ("What the set changed", url_of("operations:envelopes", receipt=self.object.uuid), False)
        feeder = ("Envelopes of this feeder", url_of("operations:envelopes", feeder=self.object.feeder_code), False)
        return [changed, feeder] if self.object.ders else [feeder]

    def facts(self) -> list:
        receipt = self.object
        rows = [
            ("Utility", receipt.edc, None, ""),
            ("Aggregator", receipt.aggregator, None, ""),
            ("Feeder", receipt.feeder_code, None, ""),
            ("The set is now", reports.standing_of(receipt).lower(), None, ""),
            ("From", receipt.starts_at, None, ""),
            ("To", receipt.ends_at, None, ""),
            ("DERs with another envelope", receipt.changed, None, "" if receipt.ders else "which they are was not kept then"),
            ("Acknowledged", receipt.acknowledged_at, None, ""),
            ("SHA-256 of the set", receipt.content_hash, None, ""),
        ]
        return [("Set", rows)]


class ReceiptTransition(Transition):
    """Acknowledge."""

    model = EnvelopeReceipt
    detail_url = "operations:envelope_receipt"

    def move(self, actor, obj: EnvelopeReceipt, name: str, reason: str) -> None:
        life.acknowledge(actor=actor, receipt=obj, reason=reason)
