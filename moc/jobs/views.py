"""A user's jobs: how far they are, and stopping one."""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.generic import TemplateView, View

from moc import sight
from moc.errors import UserError
from moc.jobs import services
from moc.jobs.models import Job
from moc.portal import Column, Detail, List, Table

RUNNING = (Job.Status.QUEUED, Job.Status.RUNNING)


def progress_of(job: Job) -> dict:
    """What includes/progress.html shows of a job; any page may include it."""
    running = job.status in RUNNING
    return {
        "id": f"job-{job.uuid}",
        "url": reverse("job_progress", args=[job.uuid]),
        "cancel_url": reverse("job_cancel", args=[job.uuid]) if running and not job.cancel_requested else "",
        "label": job.title,
        "status": job.status,
        "status_label": "Stopping" if running and job.cancel_requested else job.get_status_display(),
        "running": running,
        "done": job.done,
        "total": job.total,
        "percent": job.percent if running else 100,
        "phase": job.phase if running else "",
        "error": job.error,
    }


@sight.engine()
def refusal_of(pk: int | None) -> dict | None:
    """Why a job failed, for whoever may see what it should have made: the job itself is its orderer's alone."""
    job = Job.objects.filter(pk=pk).first()
    return {"sentence": job.error} | job.outcome if job else None


class JobList(List):
    """The user's own jobs, newest first."""

    model = Job
    title = "Jobs"
    noun = "jobs"
    table = Table(
        caption="Jobs",
        url=lambda row: reverse("job_detail", args=[row["uuid"]]),
        needs=("uuid",),
        empty_title="No jobs",
        columns=(
            Column("title", "Job"),
            Column("status", "Status", kind="status", choices=Job.Status),
            Column("created_at", "Started"),
            Column("ended_at", "Ended"),
        ),
    )


class JobDetail(Detail):
    """One job, live until it ends."""

    model = Job
    template_name = "jobs/detail.html"
    parents = (("Jobs", "job_list"),)

    def get_context_data(self, **kwargs) -> dict:
        outcome = self.object.outcome if self.object.status == Job.Status.DONE else {}
        return super().get_context_data(**{"progress": progress_of(self.object), "outcome": outcome, "status": ""} | kwargs)


class JobProgress(LoginRequiredMixin, TemplateView):
    """The progress alone, fetched every two seconds while it runs; the page is reloaded once when the job has ended."""

    template_name = "includes/progress.html"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        job = get_object_or_404(Job.objects.visible_to(request.user), uuid=kwargs["uuid"])
        response = self.render_to_response(self.get_context_data(progress=progress_of(job)))
        if job.status not in RUNNING:
            response["HX-Refresh"] = "true"
        return response


class CancelJob(LoginRequiredMixin, View):
    """POST: ask the job to stop."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs) -> HttpResponse:
        job = get_object_or_404(Job.objects.visible_to(request.user), uuid=kwargs["uuid"])
        try:
            services.cancel(actor=request.user, job=job)
        except UserError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.info(request, "The job was asked to stop; what it had not finished is not kept.")
        return HttpResponseRedirect(reverse("job_detail", args=[job.uuid]))
