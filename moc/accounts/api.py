"""API: admissions of new aggregators."""

from moc.accounts import admissions
from moc.accounts.models import Admission
from moc.accounts.organization import AdmissionLetter
from moc.rest.letters import letter
from moc.rest.resources import Moves
from moc.rest.serializers import Flat, Reason, slug_of


class AdmissionSerializer(Flat):
    """A new aggregator's wish to take part."""

    organization = slug_of("organization")
    rerra = slug_of("rerra", "the regulator's slug")

    class Meta:
        model = Admission
        fields = "uuid organization rerra status terms_version applied_at".split()


class Admissions(Moves):
    """Admissions within reach, newest first; a regulator or the operator admits or refuses."""

    model = Admission
    permission = admissions.PERMISSION
    serializer_class = AdmissionSerializer
    moves = {"admit": Reason, "refuse": Reason}
    letter = letter(AdmissionLetter, "The letter of admission, as PDF")

    def perform(self, actor, obj: Admission, name: str, **said) -> None:
        admissions.decide(actor=actor, admissions=Admission.objects.filter(pk=obj.pk), name=name, **said)
