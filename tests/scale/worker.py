"""Runs one phase of the import in a process of its own and prints its seconds and peak memory as JSON."""

import json
import sys
from time import perf_counter

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from moc import sight  # noqa: E402
from moc.jobs.models import Job  # noqa: E402
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview  # noqa: E402
from registry.submissions.services import effects, filing, reviewing, staging  # noqa: E402
from registry.submissions.tasks import stage  # noqa: E402
from tests.scale.figures import peak_kb  # noqa: E402
from tests.scale.plain import PlainOwners  # noqa: E402


class Steps(dict):
    """Wraps functions so that their seconds are added up under a name."""

    def watch(self, module, function: str, name: str) -> None:
        original = getattr(module, function)

        def timed(*args, **kwargs):
            started = perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                self[name] = self.get(name, 0) + perf_counter() - started

        setattr(module, function, timed)


def run_stage(pk: str, steps: Steps) -> None:
    steps.watch(staging, "copy_in", "read and COPY the texts")
    steps.watch(staging, "_stage_typed", "cast, resolve and stage (logged)")
    steps.watch(staging, "_find_reading_problems", "findings of reading")
    steps.watch(staging, "check", "all rules")
    started = perf_counter()
    stage(int(pk))
    steps["commit and the rest of staging"] = perf_counter() - started - sum(steps.values())
    job = Job.objects.get(pk=pk)
    if job.status != Job.Status.DONE:
        raise SystemExit(f"{job.status}: {job.error}")


def run_stage_plain(pk: str, steps: Steps) -> None:
    """As run_stage, with the texts of owners left as they are."""
    staging.owners.Sealer = PlainOwners
    run_stage(pk, steps)


def run_submit(pk: str, steps: Steps) -> None:
    submission = Submission.objects.get(pk=pk)
    version, _, _ = filing.attestation()
    started = perf_counter()
    filing.submit(actor=submission.created_by, submission=submission, attestation_version=version, only_good=True)
    steps["submit, split by utility"] = perf_counter() - started


def watch_merge(steps: Steps) -> None:
    """Add up the seconds of merges, with the checks of keys that a commit would make."""
    merge = effects.merge

    def merge_with_checks(decision):
        started = perf_counter()
        merge(decision)
        connection.check_constraints()
        steps["merge"] = steps.get("merge", 0) + perf_counter() - started

    effects.merge = merge_with_checks


def approve(review: UtilityReview) -> None:
    """All rows of a review, by its utility."""
    reviewer = review.edc.memberships.get().user
    rows = StagedDer.objects.filter(status=StagedDer.Status.PENDING)
    reviewing.decide(actor=reviewer, review=review, rows=rows, kind=Decision.Kind.APPROVE)


def run_decide(pks: str, steps: Steps) -> None:
    """Decide the named reviews, the largest first, taking what no other worker has taken."""
    watch_merge(steps)
    while True:
        with transaction.atomic():
            open_ones = UtilityReview.objects.undecided().filter(pk__in=pks.split(",")).order_by("-row_count")
            review = open_ones.select_for_update(skip_locked=True).first()
            if review is None:
                return
            approve(review)


def run_rehearse(pk: str, steps: Steps) -> None:
    """Decide one review with nobody else at work, and take it back."""
    watch_merge(steps)
    with transaction.atomic():
        approve(UtilityReview.objects.get(pk=pk))
        transaction.set_rollback(True)


if __name__ == "__main__":
    found = Steps()
    phases = {"stage": run_stage, "stage_plain": run_stage_plain, "submit": run_submit, "decide": run_decide, "rehearse": run_rehearse}
    with sight.engine():  # as the worker's tasks have it
        phases[sys.argv[1]](sys.argv[2], found)
    print(json.dumps({"steps": found, "peak_kb": peak_kb()}))
