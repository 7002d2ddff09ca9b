"""Pages of envelope policies: the list, one with its versions and what rule rows make of it, and the forms."""

from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.portal import Create, Detail, List, Update
from operations.envelopes.models import EnvelopePolicy
from operations.envelopes.services import life, ruled
from operations.sharing import services
from operations.sharing.filters import PolicyFilterSet
from operations.sharing.forms import ChangeForm, NewPolicyForm
from operations.sharing.tables import POLICY_TABLE
from registry.grid.forms import utilities_of

POLICIES = (("Envelopes", "operations:envelopes"), ("Policies", "operations:envelope_policies"))


def at(name: str, chosen: EnvelopePolicy) -> str:
    return reverse(f"operations:envelope_{name}", args=[chosen.pk])


class Policies(List):
    """The policies within reach."""

    model = EnvelopePolicy
    title = "Envelope policies"
    lead = "How each utility shares the room of its feeders, within which limits, and what holds without envelopes."
    noun = "policies"
    table = POLICY_TABLE
    filterset_class = PolicyFilterSet
    parents = POLICIES[:1]

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Add a policy", reverse("operations:envelope_policy_new"), True)] if utilities_of(self.request.user).exists() else []


class PolicyDetail(Detail):
    """One policy, now or as of a moment, with every version."""

    model = EnvelopePolicy
    key = "pk"
    keeps_versions = True
    related = ("edc", "feeder")
    parents = POLICIES

    def actions(self) -> list[tuple[str, str, bool]]:
        may = self.moment is None and policy.allows(self.request.user, services.PERMISSION, self.object.edc)
        return [("Change", at("policy_change", self.object), True)] if may else []

    def facts(self) -> list:
        chosen = self.object
        rows = [("utility", chosen.edc, None, ""), ("feeder", chosen.feeder or "All others", None, "")]
        for column in map(EnvelopePolicy._meta.get_field, services.FACTS):
            shown = getattr(chosen, f"get_{column.name}_display", None)
            rows.append((column.verbose_name, shown() if shown else getattr(chosen, column.name), None, column.help_text))
        return [("Policy", [(label[0].upper() + label[1:], *rest) for label, *rest in rows + self._bound()])]

    def _bound(self) -> list[tuple]:
        """What rule rows of today decide in the policy's place."""
        if self.moment is not None:
            return []
        values = ruled.of_a_look()(life.values_of(self.object), self.object.edc_id, timezone.now())
        if not values.get("ruled"):
            return []
        method = EnvelopePolicy.Method(values["method"]).label
        weights = ", ".join(f"{code} {weight}" for code, weight in values.get("weights", {}).items())
        rows = [("Method in force", method, None, ruled.whose(values, "method"))] if "method" in values["ruled"] else []
        return rows + ([("Weights of programs", weights, None, ruled.whose(values, "weights"))] if weights else [])


class NewPolicy(Create):
    """A policy of one feeder, or of a utility's other feeders."""

    title = "Add an envelope policy"
    lead = "A feeder's own policy goes before its utility's. Envelopes that are not over are computed anew by it."
    permission = services.PERMISSION
    form_class = NewPolicyForm
    parents = POLICIES

    def allowed(self) -> bool:
        return utilities_of(self.request.user).exists()

    def get_form_kwargs(self) -> dict:
        return {"user": self.request.user}

    def perform(self, form) -> EnvelopePolicy:
        return services.add(actor=self.request.user, **form.cleaned_data)

    def done_url(self, result: EnvelopePolicy) -> str:
        return at("policy", result)


class ChangePolicy(Update):
    """Other values of a policy."""

    model = EnvelopePolicy
    key = "pk"
    title = "Change an envelope policy"
    lead = "Envelopes that are not over are computed anew by it."
    permission = services.PERMISSION
    form_class = ChangeForm
    parents = POLICIES

    def get_form_kwargs(self) -> dict:
        return {"instance": self.object}

    def perform(self, form) -> EnvelopePolicy:
        return services.change(actor=self.request.user, chosen=self.object, **form.cleaned_data)

    def done_url(self, result: EnvelopePolicy) -> str:
        return at("policy", self.object)
