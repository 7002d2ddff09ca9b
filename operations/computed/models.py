"""The columns and moves of whatever a job computes."""

from django.db import models

from moc.jobs.models import Job
from moc.lifecycle import Lifecycle, Transition
from operations.network.models import NetworkVersion, utility
from registry.grid.models import Feeder

COMPUTING, DONE, FAILED = "computing", "done", "failed"


def computing(*more: Transition) -> Lifecycle:
    """Being computed, then done or not computed; and what may follow."""
    ends = (Transition("finish", (COMPUTING,), DONE, None), Transition("fail", (COMPUTING,), FAILED, None))
    return Lifecycle(*ends, *more, initial=(COMPUTING,))


def again(permission: str, label: str) -> Transition:
    """What was computed, or could not be, may be computed once more."""
    return Transition("again", (DONE, FAILED), COMPUTING, permission, label=label)


class Computed(models.Model):
    """A model of this kind names the task that computes a row, and the job's argument that holds its key."""

    TASK = ARGUMENT = ""

    class Status(models.TextChoices):
        COMPUTING = COMPUTING, "Being computed"
        DONE = DONE, "Done"
        FAILED = FAILED, "Not computed"

    status = models.CharField(max_length=9, choices=Status.choices, default=COMPUTING)
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        abstract = True


class OnNetwork(Computed):
    """Computed of a feeder's network: once for each topology and whatever else its constraint names."""

    edc = utility()
    feeder = models.ForeignKey(Feeder, on_delete=models.PROTECT, related_name="+", db_index=False)
    network = models.ForeignKey(NetworkVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    topology_hash = models.CharField(max_length=64, editable=False)

    class Meta:
        abstract = True
