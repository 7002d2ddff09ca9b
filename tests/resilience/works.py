"""The pieces of work of a filing and a decision, each with what makes good its being killed."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone
from rest_framework.test import APIClient

from moc.jobs import services as jobs
from moc.jobs.models import Job
from registry.submissions import tasks
from registry.submissions.models import Decision, Submission, UtilityReview
from registry.submissions.services import bulk_decisions, filing
from tests.factories.filings import reviewed, row, table, upload
from tests.factories.world import World

SUBMISSIONS, REVIEWS = "/api/v1/registry/submissions/", "/api/v1/registry/reviews/"
ROWS = [row(1), row(2), row(3, nameplate_ac_kw="seven")]


@dataclass
class Work:
    """`act` is done by a web or a task worker and killed; `again` is what the user, or the beat, does afterwards."""

    act: Callable[[], object]
    again: Callable[[], object]


def _web(client: APIClient, address: str, body, **headers) -> Work:
    """A request, and its repetition: done, or refused because it is done already."""
    client.raise_request_exception = False

    def act():
        return client.post(address, body, headers=headers)

    def again():
        answer = act()
        assert answer.status_code in (200, 201, 202, 409, 412), answer.content

    return Work(act, again)


def _worker(job: Job) -> Work:
    """A task, and what the sweep makes of its job when the worker has died."""

    def act():
        {"registry.submissions.tasks.stage": tasks.stage, "registry.submissions.tasks.decide": tasks.decide}[job.task](job.pk)

    def again():
        Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING).update(heartbeat_at=timezone.now() - 2 * Job.DEAD_AFTER)
        jobs.sweep()
        act()
        assert Job.objects.get(pk=job.pk).status == Job.Status.DONE

    return Work(act, again)


def _received(world: World, rows: list[dict]) -> Submission:
    return filing.receive_file(actor=world.user("aggregator", "filer"), aggregator=world.aggregator, upload=upload(table(rows)))


def upload_a_file(world: World, api_of) -> Work:
    """Web: the file is kept, the submission and its job are made."""
    return _web(api_of(world.machine), SUBMISSIONS, {"rows": ROWS}, **{"Idempotency-Key": "spring"})


def read_the_file(world: World, api_of) -> Work:
    """Worker: rows, owners, findings, and the draft."""
    return _worker(_received(world, ROWS).job)


def submit(world: World, api_of) -> Work:
    """Web: attested, checked, split by utility; the bad row stays behind in a new draft."""
    found = _received(world, ROWS)
    tasks.stage(found.job_id)
    client, address = api_of(world.user("aggregator", "approver")), f"{SUBMISSIONS}{found.uuid}/"
    body = {"attestation_version": filing.attestation()[0], "only_good": True}
    return _web(client, f"{address}transitions/submit/", body, **{"If-Match": client.get(address)["ETag"]})


def decide(world: World, api_of) -> Work:
    """Web: the decision, its rows, the records, their history, the notices, and the end of the review."""
    review = reviewed(world, ROWS[:2])
    return _web(api_of(world.user("edc", "reviewer")), f"{REVIEWS}{review.uuid}/decisions/", {"kind": "approve", "filter": {}})


def decide_by_job(world: World, api_of) -> Work:
    """Worker: the same for many rows."""
    review = reviewed(world, ROWS[:2])
    terms = {"kind": Decision.Kind.APPROVE, "statement": "", "reason_code": ""}
    plans = [bulk_decisions.Plan(terms, {"filter": ""}, review.row_count)]
    review = UtilityReview.objects.select_related("edc", "submission").get(pk=review.pk)
    return _worker(bulk_decisions.enqueue_decision(actor=world.user("edc", "reviewer"), review=review, plans=plans, evidence=None))


WORKS = {work.__name__: work for work in (upload_a_file, read_the_file, submit, decide, decide_by_job)}
