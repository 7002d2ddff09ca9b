"""Forms of outages of DERs and of grid events."""

from django import forms
from django.db.models import Q

from moc.access import policy
from operations.network.forms import FeederField
from operations.outages.models import CapacityEvent, DerOutage, GridEvent
from operations.outages.services import course
from operations.outages.services.ders import Told
from registry.ders.forms import OwnDer
from registry.grid.models import Feeder, TdInterface, Transformer


def moment(label: str, help_text: str = "", **kwargs) -> forms.DateTimeField:
    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
    return forms.DateTimeField(label=label, help_text=help_text, widget=widget, **kwargs)


class Times(forms.Form):
    """When something is out, and why then."""

    starts_at = moment("From")
    expected_until = moment("Expected back at", "empty: not known", required=False)
    reason = forms.CharField(label="Reason", max_length=300)


class OutageForm(OwnDer, Times):
    """One DER that is out, or delivers less."""

    kind = forms.ChoiceField(label="What", choices=DerOutage.Kind.choices, widget=forms.RadioSelect, initial="outage")
    cause = forms.ChoiceField(label="Why", choices=DerOutage.Cause.choices, widget=forms.RadioSelect, initial="forced")
    available_kw = forms.DecimalField(label="Still available (kW)", min_value=0, max_digits=14, decimal_places=3, required=False)
    notified = forms.CharField(label="Who else was told, and how", max_length=200, required=False, help_text="as your procedure says")

    field_order = ("der", "kind", "cause", "starts_at", "expected_until", "available_kw")

    def told(self) -> Told:
        """What the service takes."""
        said = self.cleaned_data
        return Told(**said | {"der": str(said["der"].uuid), "available_kw": said["available_kw"] or 0})


class OutageFileForm(forms.Form):
    """A file of outages."""

    file = forms.FileField(
        label="File",
        help_text=(
            "CSV with der (its id, or your own), kind (outage, derate), cause (planned, forced, curtailed), starts_at and expected_until "
            "(2026-11-22 14:30), available_kw, reason, notified; all rows are taken, or none."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv"}),
        max_length=200,
    )


class TimesForm(Times):
    """Other times of an event: one that goes on keeps its beginning."""

    def __init__(self, *args, event: CapacityEvent, **kwargs):
        super().__init__(*args, initial={"starts_at": event.starts_at, "expected_until": event.expected_until}, **kwargs)
        self.fields["starts_at"].disabled = event.status == CapacityEvent.Status.ACTIVE


class CapacityForm(Times):
    """An event of a kind that a subclass says, with its place among the user's own."""

    capacity_percent = forms.IntegerField(label="Capacity left (%)", min_value=0, max_value=99, required=False, help_text="of a derate")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_capacity_percent(self) -> int:
        return self.cleaned_data["capacity_percent"] or 0


def kind_of(model: type[CapacityEvent]) -> forms.ChoiceField:
    return forms.ChoiceField(label="What", choices=model.Kind.choices, widget=forms.RadioSelect, initial="outage")


class EventForm(CapacityForm):
    """An event on the grid, at one place."""

    kind = kind_of(GridEvent)
    feeder = FeederField(required=False)
    element = forms.CharField(
        label="Line or transformer of the network", max_length=120, required=False, help_text="as the feeder's network names it"
    )
    transformer = forms.CharField(label="Service transformer", max_length=40, required=False, help_text="your own code")
    td_interface = forms.CharField(label="T-D interface", max_length=40, required=False, help_text="its code; alone")

    field_order = ("kind", "feeder", "element", "transformer", "td_interface", "capacity_percent")

    def event(self) -> GridEvent:
        """The event, not saved."""
        return GridEvent(**self.cleaned_data | places(self.user, self.cleaned_data))


def places(user, said: dict) -> dict:
    """The places that codes name, among those of the user's utilities; interfaces also of the user's markets; None where none is named.

    Raises ValidationError."""
    utilities, markets = policy.reach(user, course.OF_UTILITY), policy.reach(user, course.OF_RTO)
    own = Q(edc__in=utilities)
    rows = {
        "feeder": Feeder.objects.filter(own),
        "transformer": Transformer.objects.filter(own),
        "td_interface": TdInterface.objects.filter(own | Q(pnode__tso__in=markets)).select_related("pnode__tso"),
    }
    found = dict.fromkeys(rows)
    for name, among in rows.items():
        if code := (said.get(name) or "").strip():
            named = list(among.filter(code=code).select_related("edc")[:2])
            if len(named) != 1:
                raise forms.ValidationError({name: "There is none of this code." if not named else "There are two of this code."})
            found[name] = named[0]
    return found
