"""A grid service, and who put it in force."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition
from registry.catalogue.choices import Level
from registry.catalogue.queries import ServiceQuerySet


class GridService(models.Model):
    """A service that DERs can sell, to a wholesale market or to their utility. A new one is a row, without a deployment: drafted by one
    person, offered once another puts it in force; then it stays as it is."""

    access_paths = ("PUBLIC",)

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_FORCE = "in_force", "Approved"
        WITHDRAWN = "withdrawn", "Withdrawn"

    lifecycle = Lifecycle(
        Transition("approve", (Status.DRAFT,), Status.IN_FORCE, "manage_rulesets", sensitive=True),
        Transition("withdraw", (Status.DRAFT,), Status.WITHDRAWN, "manage_rulesets", danger=True),
        initial=(Status.DRAFT,),
    )

    code = models.SlugField(max_length=30, primary_key=True)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.DRAFT, editable=False)
    name = models.CharField(max_length=80)
    level = models.CharField("bought by", max_length=12, choices=Level.choices)
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False)

    objects = ServiceQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-level", "name"]
        constraints = [models.CheckConstraint(name="service_four_eyes", condition=~Q(approved_by=F("drafted_by")))]

    def __str__(self) -> str:
        return self.name
