"""Pages of outcomes: what sets held back, summed by utility, and one of them by DER and interval."""

from collections.abc import Iterator

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html

from moc import charts
from moc.access import policy
from moc.exports import CsvExport
from moc.portal import Detail, List
from moc.portal.shell import url_of
from moc.portal.streaming import Tally
from operations.envelopes.models import EnvelopeRun
from operations.outcomes import reports
from operations.outcomes.filters import OutcomeFilterSet
from operations.outcomes.models import EnvelopeOutcome
from operations.outcomes.tables import EXPORT, OUTCOME_TABLE

SHOWN = 200  # DERs of one outcome
ENVELOPES = (("Envelopes", "operations:envelopes"),)
OUTCOMES = (*ENVELOPES, ("What sets held back", "operations:envelope_outcomes"))


class Outcomes(List):
    """The outcomes within reach, newest first, with their sums by utility."""

    model = EnvelopeOutcome
    template_name = "operations/outcomes/list.html"
    title = "What sets held back"
    lead = (
        "Published envelopes compared with telemetry, an hour after each set was over and again when readings may have come late: "
        "who kept to it, and the energy that it curtailed."
    )
    noun = "outcomes"
    table = OUTCOME_TABLE
    filterset_class = OutcomeFilterSet
    parents = ENVELOPES
    exports = (("CSV", "operations:envelope_outcomes_csv"), ("CSV by DER", "operations:envelope_outcomes_by_der"))
    export_columns = EXPORT
    export_name = "envelope-outcomes"

    def get_context_data(self, **kwargs) -> dict:
        sums = reports.totals(self.selected()) if self.moment is None and not self.undated else []
        return super().get_context_data(**{"sums": sums, "most_summed": reports.MOST_SUMMED} | kwargs)


class OutcomesByDer(CsvExport):
    """The outcomes of the list as filtered, one row a DER."""

    list_view = Outcomes

    def name(self, view) -> str:
        return super().name(view).replace("outcomes", "outcomes-by-der", 1)

    def blocks(self, view, tally: Tally) -> Iterator[bytes]:
        rows = view.selected("export")
        return reports.csv_by_der(rows, tally, view.filterset.form.cleaned_data.get("der"))


class OutcomeDetail(Detail):
    """One outcome: its figures, the course of the day, and its DERs."""

    model = EnvelopeOutcome
    template_name = "operations/outcomes/outcome.html"
    parents = OUTCOMES
    related = ("feeder", "aggregator", "edc")

    def actions(self) -> list[tuple[str, str, bool]]:
        one = self.object
        this = {"feeder": one.feeder.code, "number": one.number, "edc": one.edc_id}
        shown = [("Outcomes of this set", url_of("operations:envelope_outcomes", **this), False)]
        shown.append(("Envelopes of this feeder", url_of("operations:envelopes", feeder=one.feeder.code), False))
        if policy.allows(self.request.user, "export"):
            shown.append(("CSV by DER", url_of("operations:envelope_outcomes_by_der", **this), False))
        return shown

    def facts(self) -> list:
        one = self.object
        rows = [
            ("Set", self._set(), None, ""),
            ("Feeder", one.feeder, None, ""),
            ("Aggregator", one.aggregator or "none", None, ""),
            ("Utility", one.edc, None, ""),
            ("In force from", one.starts_at, None, ""),
            ("In force until", one.ends_at, None, f"{one.hours:g} hours without those for which it was held"),
            ("Made", one.made_at, None, "readings received by then are in it"),
        ]
        conduct = [
            ("DERs in the set", one.ders, None, ""),
            ("Heard of", one.heard, None, f"for {one.heard_percent:g} % of their hours; of the others nothing is said"),
            ("Went beyond it", one.beyond, None, "DERs with a reading beyond a limit by more than is let pass"),
            ("Readings", one.readings, None, ""),
        ]
        return [("Outcome", rows), ("Who kept to it", conduct), ("What it cost", self.energy())]

    def _set(self) -> object:
        """The set's number, with a link to its run for those who may see it."""
        one = self.object
        runs = policy.scope(EnvelopeRun.objects.filter(pk=one.run_id), self.request.user, self.permission)
        uuid = runs.values_list("uuid", flat=True).first()
        return format_html('<a href="{}">{}</a>', reverse("operations:envelope_run", args=[uuid]), one.number) if uuid else one.number

    def energy(self) -> list:
        """The rows about energy; what is not known is said so."""
        one = self.object
        told = [
            ("Measured export", one.export_kwh, ""),
            ("Measured import", one.import_kwh, ""),
            ("Curtailed export", one.curtailed_export_kwh, "that DERs at a limit told that they could have injected too"),
            ("of it by the grid", one.grid_export_kwh, "a rating or a voltage set the limit"),
            ("of it by an operator", one.operator_export_kwh, "who set the limit by hand, though the network would have left more"),
            ("of it estimated", one.estimated_kwh, "where a DER tells no room: by the forecast of its meter, as seen before"),
            ("Curtailed import", one.curtailed_import_kwh, "that they could have drawn too; charging may have followed later"),
            ("of it by the grid", one.grid_import_kwh, ""),
            ("of it by an operator", one.operator_import_kwh, ""),
            ("Room of storage not used", one.storage_kwh, "no lost energy: it can be used later, and is not counted above"),
        ]
        rows = [(label, "not known" if kwh is None else kwh, None if kwh is None else "kWh", help_) for label, kwh, help_ in told]
        return [
            *rows,
            ("Not known", one.unknown_hours, "hours", "of DERs at a limit, of which nothing tells what they could do"),
        ]

    def get_context_data(self, **kwargs) -> dict:
        ders, (times, lines) = reports.by_der(self.object), reports.course_of(self.object)
        facts = {"identity": "outcome", "title": "Measured, and without the limits", "unit": "kW", "zone": settings.TIME_ZONE}
        envelopes = reports.envelopes_of(self.request.user, ders[:SHOWN])
        shown = {
            "ders": [each | {"envelope": envelopes.get(each["der"])} for each in ders[:SHOWN]],
            "der_count": len(ders),
            "series": charts.time_series(times, lines, **facts),
        }
        return super().get_context_data(**shown | kwargs)
