"""An aggregation of DERs: what it offers, where, by whom it is run, and who is in it on which day.

Days are operating days, half open. A member is one DER for one service: the database keeps it out of two wholesale aggregations that
offer the same service on the same day (Order 2222 ¶159, ¶160).
"""

import uuid
from decimal import Decimal

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from moc.access.models import Organization, OrganizationObjectPermission
from moc.access.queries import ScopedQuerySet
from moc.access.visibility import FieldGroup
from moc.history import DatabaseTrigger, Versions
from moc.lifecycle import Lifecycle, Transition
from moc.units import MagnitudeField, QuantityField
from registry.aggregations.choices import Purpose
from registry.aggregations.queries import AggregationQuerySet, DatedQuerySet
from registry.catalogue.models import GridService
from registry.ders.models import Der, DerTenure
from registry.grid.models import Pnode, TdInterface

TOLERANCE = Decimal("0.000001")
AGENTS = ("market_agent", "dispatch_agent", "meter_reader")
AGENT = "agents__organization"  # the path through what agents were granted
FILED = ~Q(status="draft")
OF_FILED = ~Q(aggregation__status="draft")


PERFORMANCE = ("upper_limit_kw", "lower_limit_kw", "ramp_up_kw_per_min", "ramp_down_kw_per_min", "response_time_s")
GROUPS = (FieldGroup("aggregations", "performance", "Performance", PERFORMANCE),)


def party(label: str, **kwargs) -> models.ForeignKey:
    return models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name=label, **kwargs)


class Aggregation(models.Model):
    """DERs that one aggregator offers together. RTO and place are asked only of one that offers wholesale services.

    Powers in kW, injection positive: the lower limit of storage is negative. `stated_on` and `stated_kw` say when the aggregator stated
    limits and ramps, and the members' nameplate at that time; from `restate_since` on members have changed since: state them again (¶338).
    The RTO validates by `due_at`; while it waits for the aggregator until `answer_due_at`, its clock stands where `paused_at` says so.
    """

    access_paths = ("aggregator", "tso", "edc", AGENT, "utilities__edc")
    access_conditions = dict.fromkeys(access_paths[1:], FILED)
    field_groups, hidden_by, seen_by = GROUPS, "aggregator", {"edc": "utilities__edc", "tso": "tso"}

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Being validated"
        ASKED = "asked", "Information requested"
        RETURNED = "returned", "Returned as incomplete"
        REGISTERED = "registered", "Registered"
        DENIED = "denied", "Denied"
        SUSPENDED = "suspended", "Suspended"
        RETIRED = "retired", "Retired"

    lifecycle = Lifecycle(
        Transition("submit", (Status.DRAFT, Status.RETURNED, Status.DENIED), Status.SUBMITTED, "submit_ders"),
        Transition("withdraw", (Status.SUBMITTED, Status.ASKED, Status.RETURNED), Status.DRAFT, "submit_ders", label="Take back"),
        Transition("ask", (Status.SUBMITTED,), Status.ASKED, "validate_aggregations", needs_reason=True, label="Ask for information"),
        Transition("answer", (Status.ASKED,), Status.SUBMITTED, "submit_ders"),
        Transition("go_on", (Status.ASKED,), Status.SUBMITTED, None, label="Go on without an answer"),
        Transition(
            "return", (Status.SUBMITTED,), Status.RETURNED, "validate_aggregations", needs_reason=True, label="Return as incomplete"
        ),
        Transition("lapse", (Status.RETURNED,), Status.DRAFT, None),
        Transition("register", (Status.SUBMITTED,), Status.REGISTERED, "validate_aggregations"),
        Transition("deny", (Status.SUBMITTED, Status.ASKED), Status.DENIED, "validate_aggregations", needs_reason=True, danger=True),
        Transition("suspend", (Status.REGISTERED,), Status.SUSPENDED, "validate_aggregations", needs_reason=True, danger=True),
        Transition("reinstate", (Status.SUSPENDED,), Status.REGISTERED, "validate_aggregations", needs_reason=True),
        Transition(
            "retire",
            (Status.DRAFT, Status.RETURNED, Status.DENIED, Status.REGISTERED, Status.SUSPENDED),
            Status.RETIRED,
            "submit_ders",
            needs_reason=True,
            danger=True,
        ),
        initial=(Status.DRAFT,),
    )

    uuid = models.UUIDField("aggregation id", default=uuid.uuid4, unique=True, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=120)
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.WHOLESALE)
    tso = party("RTO", null=True, blank=True)
    edc = party("utility", null=True, blank=True, help_text="the utility that buys distribution services, or in whose area it stays")
    participation_model = models.SlugField(
        "participation model", max_length=60, blank=True, help_text="as the RTO's tariff calls it, such as dera"
    )
    td_interface = models.ForeignKey(
        TdInterface, null=True, blank=True, on_delete=models.PROTECT, related_name="aggregations", verbose_name="T-D interface"
    )
    services = ArrayField(models.SlugField(max_length=30), verbose_name="services sought", default=list, blank=True)
    market_agent = party("market agent", help_text="bids and is settled with")
    dispatch_agent = party("dispatch agent", help_text="takes dispatch instructions")
    meter_reader = party("meter reader", help_text="sends meter data; may be the utility")
    upper_limit_kw = QuantityField("upper operating limit (kW)", null=True, blank=True, help_text="most injection")
    lower_limit_kw = QuantityField("lower operating limit (kW)", null=True, blank=True, help_text="negative: charging or added load")
    ramp_up_kw_per_min = MagnitudeField("ramp up (kW/min)", null=True, blank=True)
    ramp_down_kw_per_min = MagnitudeField("ramp down (kW/min)", null=True, blank=True)
    response_time_s = models.PositiveIntegerField("response time (s)", null=True, blank=True)
    stated_on = models.DateField("performance stated on", null=True, blank=True, editable=False)
    stated_kw = MagnitudeField("members' nameplate when stated (kW)", null=True, blank=True, editable=False)
    restate_since = models.DateField(
        "members changed on", null=True, blank=True, editable=False, help_text="first change of members since performance was stated"
    )
    market_id = models.CharField("id at the RTO", max_length=60, blank=True)
    effective_on = models.DateField("takes part from", null=True, blank=True, help_text="set when it is registered")
    submitted_at = models.DateTimeField(null=True, blank=True, editable=False)
    due_at = models.DateTimeField("to be decided by", null=True, blank=True, editable=False, help_text="the RTO's review ends")
    paused_at = models.DateTimeField("clock paused at", null=True, blank=True, editable=False)
    answer_due_at = models.DateTimeField("answer due by", null=True, blank=True, editable=False, help_text="what the RTO waits for")
    escalated_at = models.DateTimeField("overdue since", null=True, blank=True, editable=False)

    objects = AggregationQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["aggregator", "name"],
                name="aggregation_name_once",
                violation_error_message="Another of your aggregations has this name.",
            ),
            models.CheckConstraint(
                name="aggregation_wholesale_has_rto",
                condition=Q(purpose=Purpose.DISTRIBUTION, tso=None) | (~Q(purpose=Purpose.DISTRIBUTION) & Q(tso__isnull=False)),
                violation_error_message="An aggregation names its RTO if it offers wholesale services, and only then.",
            ),
            models.CheckConstraint(
                name="aggregation_limits_in_order",
                condition=Q(lower_limit_kw__lte=F("upper_limit_kw")),
                violation_error_message="The lower operating limit lies above the upper one.",
            ),
        ]
        permissions = [
            ("market_agent", "Bids for the aggregation and is settled with"),
            ("dispatch_agent", "Takes dispatch instructions of the aggregation"),
            ("meter_reader", "Sends meter data of the aggregation"),
        ]
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="aggregation_by_aggregator"),
            models.Index(fields=["tso", "-id"], name="aggregation_by_tso"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def in_review(self) -> bool:
        """Whether the RTO has it, so that nobody changes it: being validated, or a question waits for its answer."""
        return self.status in (self.Status.SUBMITTED, self.Status.ASKED)

    @property
    def is_open(self) -> bool:
        """Whether it was not filed, or came back: its past may still be mended."""
        return self.status in (self.Status.DRAFT, self.Status.RETURNED, self.Status.DENIED)

    @property
    def is_wholesale(self) -> bool:
        """Whether it offers in a wholesale market."""
        return self.purpose != Purpose.DISTRIBUTION


class AgentGrant(OrganizationObjectPermission):
    """Another party is an agent of a filed aggregation, by guardian's object permission, until its last day: then the row goes.

    The aggregation's record names its agents, services keep the grants in step with it (services/agents.py). The policy of aggregations
    reads this table, so its own names no aggregation: `aggregator` stands here.
    """

    access_paths = ("aggregator", "organization")

    content_object = models.ForeignKey(Aggregation, on_delete=models.CASCADE, related_name="agents", verbose_name="aggregation")
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    starts_on = models.DateField("granted on")
    ends_on = models.DateField("ends on", null=True, blank=True, help_text="the first day without it")

    objects = ScopedQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta(OrganizationObjectPermission.Meta):
        verbose_name = "agent of an aggregation"
        verbose_name_plural = "agents of aggregations"
        constraints = [
            models.UniqueConstraint(fields=["content_object", "permission"], name="agent_one_a_role"),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="agent_some_day",
                violation_error_message="An agency ends after the day on which it was granted.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization}, {self.role.replace('_', ' ')}"

    @property
    def role(self) -> str:
        """Which of AGENTS."""
        return self.permission.codename


class AggregationUtility(models.Model):
    """A utility to whose grid members of a filed aggregation are, or were, connected: it sees the aggregation. Kept by the services.

    The policy of aggregations reads this table, so its own names no aggregation: `aggregator` stands here.
    """

    access_paths = ("aggregator", "edc")

    aggregation = models.ForeignKey(Aggregation, on_delete=models.CASCADE, related_name="utilities")
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="utility")

    objects = ScopedQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        verbose_name = "utility of an aggregation"
        verbose_name_plural = "utilities of aggregations"
        constraints = [models.UniqueConstraint(fields=["aggregation", "edc"], name="aggregation_utility_once")]

    def __str__(self) -> str:
        return f"{self.edc} in {self.aggregation}"


class FactorsSum(DatabaseTrigger):
    """At the end of the transaction the factors of an aggregation sum to one on every day on which it has any (¶225)."""

    when, level, timing = pgtrigger.After, pgtrigger.Row, pgtrigger.Deferred
    operation = pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete
    declare = [("the_aggregation", "bigint := coalesce(NEW.aggregation_id, OLD.aggregation_id)")]

    def get_func(self, model) -> str:
        table = model._meta.db_table
        return f"""
            IF EXISTS (
                SELECT FROM (
                    SELECT lower(valid_during) AS day FROM "{table}" WHERE aggregation_id = the_aggregation
                    UNION SELECT upper(valid_during) FROM "{table}" WHERE aggregation_id = the_aggregation
                ) AS days
                JOIN "{table}" AS f ON f.aggregation_id = the_aggregation AND f.valid_during @> days.day
                GROUP BY days.day HAVING abs(sum(f.factor) - 1) > {TOLERANCE}
            ) THEN
                RAISE EXCEPTION 'The distribution factors of aggregation % do not sum to 1', the_aggregation
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'aggregation_factors_sum';
            END IF;
            RETURN NULL;"""


class AggregationPnode(models.Model):
    """The share of an aggregation's response at a pricing node on some days. Of each set the factors sum to 1 ± 1e-6 (¶225, ¶310)."""

    access_paths = tuple(f"aggregation__{path}" for path in ("aggregator", "tso", "edc", AGENT))
    access_conditions = dict.fromkeys(access_paths[1:], OF_FILED)

    aggregation = models.ForeignKey(Aggregation, on_delete=models.CASCADE, related_name="pnodes", db_index=False)
    pnode = models.ForeignKey(Pnode, on_delete=models.PROTECT, related_name="+", verbose_name="pricing node")
    factor = models.DecimalField(
        "distribution factor", max_digits=10, decimal_places=9, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    valid_during = DateRangeField("in force", help_text="days, half open")

    objects = DatedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "distribution factor"
        ordering = ["aggregation", "valid_during", "pnode"]
        constraints = [
            ExclusionConstraint(
                name="aggregation_pnode_once_a_day",
                expressions=[
                    ("aggregation", RangeOperators.EQUAL),
                    ("pnode", RangeOperators.EQUAL),
                    ("valid_during", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(condition=Q(factor__gte=0, factor__lte=1), name="aggregation_factor_range"),
        ]
        triggers = [FactorsSum(name="factors_sum")]

    def __str__(self) -> str:
        return f"{self.factor} at {self.pnode}"


class AggregationMember(models.Model):
    """A DER in an aggregation for one service, on some days, with (a share of) its capacity.

    `aggregator` and `edc` stand here because lists are cut by them; `wholesale` because the constraint is. Written set-wise by services.
    """

    access_paths = ("aggregator", "edc", "aggregation__tso", f"aggregation__{AGENT}")
    access_conditions = dict.fromkeys(access_paths[1:], OF_FILED)

    aggregation = models.ForeignKey(Aggregation, on_delete=models.PROTECT, related_name="members", db_index=False)
    der = models.ForeignKey(Der, on_delete=models.PROTECT, related_name="memberships", db_index=False, verbose_name="DER")
    service = models.ForeignKey(GridService, on_delete=models.PROTECT, related_name="+", db_index=False)
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="utility")
    wholesale = models.BooleanField(editable=False)
    share_percent = models.DecimalField(
        "share of capacity (%)",
        max_digits=6,
        decimal_places=3,
        default=100,
        validators=[MinValueValidator(Decimal("0.001")), MaxValueValidator(100)],
    )
    valid_during = DateRangeField("member", help_text="days, half open")

    objects = DatedQuerySet.as_manager()
    history = Versions(listed_by=("aggregation",), fed=True)

    class Meta:
        verbose_name = "member"
        constraints = [
            ExclusionConstraint(
                name="member_of_one_wholesale",
                expressions=[("der", RangeOperators.EQUAL), ("service", RangeOperators.EQUAL), ("valid_during", RangeOperators.OVERLAPS)],
                condition=Q(wholesale=True),
            ),
            ExclusionConstraint(
                name="member_once_a_day",
                expressions=[
                    ("aggregation", RangeOperators.EQUAL),
                    ("der", RangeOperators.EQUAL),
                    ("service", RangeOperators.EQUAL),
                    ("valid_during", RangeOperators.OVERLAPS),
                ],
                condition=Q(wholesale=False),
            ),
            models.CheckConstraint(condition=Q(share_percent__gt=0, share_percent__lte=100), name="member_share_range"),
            models.CheckConstraint(condition=Q(valid_during__isempty=False), name="member_some_day"),
        ]
        indexes = [
            models.Index(fields=["aggregation", "-id"], name="member_by_aggregation"),
            models.Index(fields=["der", "aggregation"], name="member_by_der"),
        ]

    def __str__(self) -> str:
        return f"{self.der} in {self.aggregation}"


class MembershipsEnd(DatabaseTrigger):
    """Whoever writes: the memberships of a DER end with what they stand on. Free where it does not end."""

    level, when, operation = pgtrigger.Row, pgtrigger.After, pgtrigger.Update

    def __init__(self, *, ended: str, der: str, day: str, **kwargs):
        self.ended, self.der, self.day = ended, der, day
        super().__init__(**kwargs)

    def render_condition(self, model) -> str:
        return f"WHEN ({self.ended})"

    def get_func(self, model) -> str:
        mine = f"m.der_id = {self.der} AND m.aggregator_id = OLD.aggregator_id"
        late = f"coalesce(upper(m.valid_during) > {self.day}, TRUE)"
        return f"""
            UPDATE registry_aggregation AS a SET restate_since = {self.day}
            WHERE a.stated_on IS NOT NULL AND a.restate_since IS NULL
                AND EXISTS (SELECT FROM registry_aggregationmember AS m WHERE m.aggregation_id = a.id AND {mine} AND {late});
            DELETE FROM registry_aggregationmember AS m WHERE {mine} AND lower(m.valid_during) >= {self.day};
            UPDATE registry_aggregationmember AS m SET valid_during = daterange(lower(m.valid_during), {self.day}) WHERE {mine} AND {late};
            RETURN NULL;"""


pgtrigger.register(
    MembershipsEnd(
        name="memberships_end",
        ended="OLD.status = 'running' AND NEW.status = 'ended'",
        der="NEW.der_id",
        day="upper(NEW.valid_during)",
    )
)(DerTenure)
pgtrigger.register(
    MembershipsEnd(
        name="memberships_end",
        ended="OLD.status <> 'decommissioned' AND NEW.status = 'decommissioned'",
        der="NEW.id",
        day="coalesce(NEW.decommissioned_on, moc_today())",
    )
)(Der)
