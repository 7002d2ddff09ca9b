"""What a submission's DERs may do jointly on a feeder, and which of them can do less than was filed."""

import uuid

from django.db import models

from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from operations.computed.models import OnNetwork, again, computing
from operations.outages.models import party
from registry.submissions.models import StagedDer, UtilityReview


class ReviewScreen(OnNetwork):
    """What a submission's DERs may do jointly on a feeder that they would be behind, over a year: evidence for the utility's review.

    Idempotent by review (a submission before a utility), feeder and topology. `result` by direction: share of what was filed, kind and
    element of what binds by month and hour, as a study keeps them. What each DER lacks is in its findings."""

    access_paths = ("edc",)

    TASK, ARGUMENT = "operations.screening.tasks.screen", "screen"
    lifecycle = computing(again("review_ders", "Screen again"))

    uuid = models.UUIDField("screen id", default=uuid.uuid4, unique=True, editable=False)
    review = models.ForeignKey(UtilityReview, on_delete=models.PROTECT, related_name="screens", db_index=False)
    row_count = models.PositiveIntegerField("DERs on the feeder", default=0)
    short_count = models.PositiveIntegerField("of which with less than was filed", default=0)
    result = models.JSONField(default=dict, blank=True)
    computed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "screen of a review"
        verbose_name_plural = "screens of reviews"
        constraints = [models.UniqueConstraint(fields=["review", "feeder", "topology_hash"], name="review_screen_once")]
        indexes = [models.Index(fields=["edc", "-id"], name="review_screen_by_utility")]

    def __str__(self) -> str:
        return f"{self.review.submission} on {self.feeder}"


class ScreenFinding(models.Model):
    """A filed DER that cannot always do what was filed, together with the others of its submission: how much it can, and when least.

    Its aggregator reads it, who does not see the screen: it names no element and nobody else."""

    access_paths = ("aggregator", "edc")

    class Direction(models.TextChoices):
        EXPORT = "export", "Export"
        IMPORT = "import", "Import"

    class Binds(models.TextChoices):
        VOLTAGE = "voltage", "Voltage"
        THERMAL = "thermal", "Rating of a line or transformer"

    screen = models.ForeignKey(ReviewScreen, on_delete=models.CASCADE, related_name="findings", db_index=False)
    review = models.ForeignKey(UtilityReview, on_delete=models.PROTECT, related_name="+")
    feeder_code = models.CharField("feeder", max_length=40)
    row = models.ForeignKey(StagedDer, on_delete=models.CASCADE, related_name="+", db_constraint=False, verbose_name="filed DER")
    aggregator = party("aggregator")
    edc = party("utility")
    direction = models.CharField(max_length=6, choices=Direction.choices)
    filed_kw = models.FloatField("filed (kW)")
    limit_kw = models.FloatField("always possible (kW)")
    month = models.PositiveSmallIntegerField("least in month")
    hour = models.PositiveSmallIntegerField("at hour")
    binds = models.CharField("what binds", max_length=8, choices=Binds.choices)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "finding of a screen"
        verbose_name_plural = "findings of screens"
        constraints = [models.UniqueConstraint(fields=["screen", "row", "direction"], name="screen_finding_once")]
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="screen_finding_by_aggregator"),
            models.Index(fields=["edc", "-id"], name="screen_finding_by_utility"),
        ]

    def __str__(self) -> str:
        return f"{self.row}: {self.get_direction_display()} {self.limit_kw:g} of {self.filed_kw:g} kW"
