"""Forms of outages of DERs and of grid events."""

from django import forms
from django.db.models import Q

from moc.access import policy
from operations.network.forms import FeederField
from operations.outages.models import DerOutage, GridEvent
from operations.outages.services import events
from operations.outages.services.ders import Told
from registry.ders.forms import OwnDer
from registry.grid.models import Feeder, TdInterface, Transformer


def moment(label: str, help_text: str = "", **kwargs) -> forms.DateTimeField:
    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
    return forms.DateTimeField(label=label, help_text=help_text, widget=widget, **kwargs)


class OutageForm(OwnDer):
    """One DER that is out, or delivers less."""

    kind = forms.ChoiceField(label="What", choices=DerOutage.Kind.choices, widget=forms.RadioSelect, initial="outage")
    cause = forms.ChoiceField(label="Why", choices=DerOutage.Cause.choices, widget=forms.RadioSelect, initial="forced")
    starts_at = moment("From")
    expected_until = moment("Expected back at", "empty: not known", required=False)
    available_kw = forms.DecimalField(label="Still available (kW)", min_value=0, max_digits=14, decimal_places=3, required=False)
    reason = forms.CharField(label="Reason", max_length=300)
    notified = forms.CharField(label="Who else was told, and how", max_length=200, required=False, help_text="as your procedure says")

    def told(self) -> Told:
        """What the service takes."""
        said = self.cleaned_data
        return Told(**said | {"der": str(said["der"].uuid), "available_kw": said["available_kw"] or 0})


class OutageFileForm(forms.Form):
    """A file of outages."""

    file = forms.FileField(
        label="File",
        help_text="CSV with der, kind, cause, starts_at, expected_until, available_kw, reason, notified; all rows are taken, or none.",
        widget=forms.FileInput(attrs={"accept": ".csv"}),
        max_length=200,
    )


class EventForm(forms.Form):
    """An event on the grid, at one place."""

    kind = forms.ChoiceField(label="What", choices=GridEvent.Kind.choices, widget=forms.RadioSelect, initial="outage")
    feeder = FeederField(required=False)
    element = forms.CharField(
        label="Line or transformer of the network", max_length=120, required=False, help_text="as the feeder's network names it"
    )
    transformer = forms.CharField(label="Service transformer", max_length=40, required=False, help_text="your own code")
    td_interface = forms.CharField(label="T-D interface", max_length=40, required=False, help_text="its code; alone")
    capacity_percent = forms.IntegerField(label="Capacity left (%)", min_value=0, max_value=99, required=False, help_text="of a derate")
    starts_at = moment("From")
    expected_until = moment("Expected back at", "empty: not known", required=False)
    reason = forms.CharField(label="Reason", max_length=300)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def event(self) -> GridEvent:
        """The event, not saved."""
        said = self.cleaned_data
        facts = {name: said[name] for name in ("kind", "element", "starts_at", "expected_until", "reason")}
        return GridEvent(**facts, capacity_percent=said["capacity_percent"] or 0, **places(self.user, said))


class TimesForm(forms.Form):
    """Other times of an event: one that goes on keeps its beginning."""

    starts_at = moment("From")
    expected_until = moment("Expected back at", "empty: not known", required=False)
    reason = forms.CharField(label="Reason", max_length=300)

    def __init__(self, *args, event: GridEvent, **kwargs):
        super().__init__(*args, initial={"starts_at": event.starts_at, "expected_until": event.expected_until}, **kwargs)
        self.fields["starts_at"].disabled = event.status == GridEvent.Status.ACTIVE


def places(user, said: dict) -> dict:
    """The places that codes name, among those of the user's utilities; interfaces also of the user's markets. Raises ValidationError."""
    utilities, markets = policy.reach(user, events.OF_UTILITY), policy.reach(user, events.OF_RTO)
    own = Q(edc__in=utilities)
    rows = {
        "feeder": Feeder.objects.filter(own),
        "transformer": Transformer.objects.filter(own),
        "td_interface": TdInterface.objects.filter(own | Q(pnode__tso__in=markets)).select_related("pnode__tso"),
    }
    found = {}
    for name, among in rows.items():
        if code := (said.get(name) or "").strip():
            named = list(among.filter(code=code).select_related("edc")[:2])
            if len(named) != 1:
                raise forms.ValidationError({name: "There is none of this code." if not named else "There are two of this code."})
            found[name] = named[0]
    return found
