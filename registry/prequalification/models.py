"""Verdicts by subject and service, the rules that are broken, overrides with reason, and the RTO's decisions.

What the rules say is derived: it is computed from records and rule sets, whose history is kept. What people decide is recorded.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.models import Organization
from moc.history import Versions
from moc.units import QuantityField
from registry.aggregations.models import Aggregation
from registry.catalogue.models import GridService
from registry.ders.models import Der
from registry.prequalification.queries import QualificationQuerySet, ScopedQuerySet

ONE_SUBJECT = Q(der__isnull=False, aggregation__isnull=True) | Q(der__isnull=True, aggregation__isnull=False)
OF_FILED = ~Q(aggregation__status="draft")


def party(**kwargs) -> models.ForeignKey:
    return models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False, **kwargs)


class OfSubject(models.Model):
    """A row about one DER or one aggregation, with the parties by which lists are cut."""

    der = models.ForeignKey(Der, null=True, on_delete=models.CASCADE, related_name="%(class)ss", db_index=False, verbose_name="DER")
    aggregation = models.ForeignKey(Aggregation, null=True, on_delete=models.CASCADE, related_name="%(class)ss", db_index=False)
    aggregator = party()
    edc = party(null=True, verbose_name="utility")

    class Meta:
        abstract = True


class Qualification(OfSubject):
    """The verdict on one subject for one service: by the rules, and after an override. `since`: how long the latter has stood.

    Written set-wise by services; a pass that changes nothing leaves it alone, so `since` survives every re-qualification.
    """

    access_paths = ("aggregator", "edc", "aggregation__tso")
    access_conditions = {"aggregation__tso": OF_FILED}

    market = party(help_text="who buys: an RTO, or a utility")
    service = models.ForeignKey(GridService, on_delete=models.PROTECT, related_name="+", db_index=False)
    by_rules = models.BooleanField("by the rules")
    eligible = models.BooleanField()
    since = models.DateTimeField()

    objects = QualificationQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["der", "service"], name="qualification_of_der"),
            models.UniqueConstraint(fields=["aggregation", "service"], name="qualification_of_aggregation"),
            models.CheckConstraint(condition=ONE_SUBJECT, name="qualification_one_subject"),
        ]
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="qualification_by_aggregator"),
            models.Index(fields=["edc", "-id"], name="qualification_by_utility", condition=Q(edc__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.der or self.aggregation}: {self.service}"


class BrokenRule(OfSubject):
    """A rule that a subject breaks, with its number and the rule's; `services` that it bars, or all (null)."""

    access_paths = ("aggregator", "edc", "aggregation__tso")
    access_conditions = {"aggregation__tso": OF_FILED}

    code = models.CharField(max_length=40)
    services = ArrayField(models.TextField(), null=True, help_text="the services that it bars; null: all")
    value = models.TextField(blank=True, help_text="the subject's own number")
    limit = models.TextField(blank=True, help_text="the rule's number")

    objects = QualificationQuerySet.as_manager()

    class Meta:
        verbose_name = "broken rule"
        constraints = [models.CheckConstraint(condition=ONE_SUBJECT, name="broken_rule_one_subject")]
        indexes = [
            models.Index(fields=["der"], name="broken_rule_of_der", condition=Q(der__isnull=False)),
            models.Index(fields=["aggregation"], name="broken_rule_of_aggregation", condition=Q(aggregation__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.der or self.aggregation} breaks {self.code}"


class Offer(models.Model):
    """What an aggregation brings to one service: computed from its members on the day of the last pass. Powers in kW.

    `edc` is the utility that buys or in whose area it stays, or the only one that its members are connected to.
    """

    access_paths = ("aggregator", "edc", "aggregation__tso")
    access_conditions = dict.fromkeys(access_paths[1:], OF_FILED)

    aggregation = models.ForeignKey(Aggregation, on_delete=models.CASCADE, related_name="offers", db_index=False)
    service = models.ForeignKey(GridService, on_delete=models.PROTECT, related_name="+", db_index=False)
    aggregator = party()
    edc = party(null=True, verbose_name="utility")
    market = party(null=True, help_text="who buys: an RTO, or a utility")
    der_count = models.PositiveIntegerField("DERs")
    capacity_kw = QuantityField("capacity (kW)", help_text="of the members' nameplates, each by its share")
    injection_kw = QuantityField("injection (kW)", help_text="of the members' approved exports, each by its share")
    node_count = models.PositiveIntegerField("pricing nodes")
    factor_count = models.PositiveIntegerField("nodes with a distribution factor")
    foreign_count = models.PositiveIntegerField("DERs outside the market")
    barred_count = models.PositiveIntegerField("DERs that do not qualify")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["aggregation", "service"], name="offer_once")]

    def __str__(self) -> str:
        return f"{self.aggregation}: {self.service}"


class QualificationOverride(models.Model):
    """A utility or a regulator qualifies or bars a DER or an aggregation for a service against what the rules say, with its reason,
    until it ends."""

    access_paths = ("aggregator", "edc", "aggregation__tso")
    access_conditions = {"aggregation__tso": OF_FILED}

    uuid = models.UUIDField("override id", default=uuid.uuid4, unique=True, editable=False)
    der = models.ForeignKey(Der, null=True, on_delete=models.PROTECT, related_name="overrides", verbose_name="DER")
    aggregation = models.ForeignKey(Aggregation, null=True, on_delete=models.PROTECT, related_name="overrides")
    service = models.ForeignKey(GridService, on_delete=models.PROTECT, related_name="+")
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="utility")
    by = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", help_text="the utility or the regulator")
    eligible = models.BooleanField()
    reason = models.TextField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = QualificationQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "override of a qualification"
        verbose_name_plural = "overrides of qualifications"
        constraints = [
            models.UniqueConstraint(fields=["der", "service"], name="override_once", condition=Q(ended_at=None)),
            models.UniqueConstraint(fields=["aggregation", "service"], name="override_of_aggregation_once", condition=Q(ended_at=None)),
            models.CheckConstraint(condition=ONE_SUBJECT, name="override_one_subject"),
            models.CheckConstraint(condition=~Q(reason=""), name="override_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{'Qualified' if self.eligible else 'Barred'} by {self.by}: {self.reason}"


class MarketDecision(models.Model):
    """What an RTO decided on an aggregation: validated with its id and the day from which it takes part, denied or suspended by a rule,
    returned as incomplete, or a question with its answer."""

    access_paths = ("aggregation__aggregator", "aggregation__tso")

    class Kind(models.TextChoices):
        REGISTER = "register", "Validated"
        DENY = "deny", "Denied"
        ASK = "ask", "Information requested"
        RETURN = "return", "Returned as incomplete"
        SUSPEND = "suspend", "Suspended"
        REINSTATE = "reinstate", "Reinstated"

    uuid = models.UUIDField("decision id", default=uuid.uuid4, unique=True, editable=False)
    aggregation = models.ForeignKey(Aggregation, on_delete=models.PROTECT, related_name="decisions")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    rule = models.CharField(max_length=40, blank=True, help_text="the code of the rule by which it was denied or suspended")
    statement = models.TextField(blank=True)
    market_id = models.CharField("id at the RTO", max_length=60, blank=True)
    effective_on = models.DateField("takes part from", null=True, blank=True)
    verdicts = models.JSONField(help_text="service → whether it qualified, and the rules it broke, as the RTO saw them")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=timezone.now)
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "decision of an RTO"
        verbose_name_plural = "decisions of RTOs"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="market_decision_complete",
                condition=Q(kind="register", effective_on__isnull=False) & ~Q(market_id="")
                | Q(kind__in=["deny", "suspend"]) & ~Q(rule="")
                | Q(kind__in=["ask", "return", "reinstate"]) & ~Q(statement=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.aggregation}"


class QualificationPass(models.Model):
    """One pass of the engine: by the law of `day`, over everything or what changed; what `snapshot` saw is in it."""

    access_paths = ("OPERATOR",)

    full = models.BooleanField()
    day = models.DateField()
    horizon = models.BigIntegerField()
    snapshot = models.TextField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    ders = models.PositiveIntegerField("DERs")
    aggregations = models.PositiveIntegerField()
    changed = models.PositiveIntegerField("verdicts changed")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "qualification pass"
        verbose_name_plural = "qualification passes"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{'Everything' if self.full else 'What changed'}, {self.started_at:%Y-%m-%d %H:%M}"
