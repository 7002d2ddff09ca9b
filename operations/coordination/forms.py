"""Forms of T-D coordination."""

from django import forms
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from operations.coordination.models import LineEvent, MonitoredLine
from operations.coordination.services import line_events
from operations.coordination.services.limits import OF_RTO
from operations.outages.forms import CapacityForm, kind_of


class LimitForm(forms.Form):
    """What may flow through an interface."""

    import_kw = forms.FloatField(label="Most towards distribution (kW)", min_value=0)
    export_kw = forms.FloatField(label="Most towards transmission (kW)", min_value=0)
    source = forms.CharField(label="Whence it is known", max_length=200, help_text="a study, a nameplate, an agreement")


class OrderForm(forms.Form):
    """A moment, of one of the user's RTOs."""

    tso = forms.ModelChoiceField(Organization.objects.none(), label="RTO")
    at = forms.DateTimeField(label="Interval of", help_text="local time of the market", initial=timezone.now)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        mine = Organization.objects.filter(pk__in=policy.reach(user, OF_RTO), kind="tso").order_by("name")
        self.fields["tso"].queryset, self.fields["tso"].initial = mine, mine.first()


class LineEventForm(CapacityForm):
    """An event of one of the user's lines."""

    line = forms.ModelChoiceField(MonitoredLine.objects.none(), label="Line")
    kind = kind_of(LineEvent)

    field_order = ("line", "kind", "capacity_percent")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, user=user, **kwargs)
        self.fields["line"].queryset = line_events.lines_of(user)

    def event(self) -> LineEvent:
        """The event, not saved."""
        return LineEvent(**self.cleaned_data)
