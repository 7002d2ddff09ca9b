"""Background work, to be read; what failed is listed on the front page."""

from django.contrib import admin

from moc.access import policy
from moc.admin import Line, RecordAdmin, panel
from moc.jobs.models import Job


@admin.register(Job)
class JobAdmin(RecordAdmin):
    list_display = ("title", "status", "user", "phase", "attempts", "created_at", "ended_at")
    list_filter = ("status",)
    list_select_related = ("user",)


@panel("Failed jobs", order=30, empty="No job has failed.")
def failed(user) -> list[Line]:
    """The latest jobs that failed, of those that the user may see."""
    own = admin.site.get_model_admin(Job)
    rows = policy.scope(Job.objects.filter(status=Job.Status.FAILED), user, own.view_permission).order_by("-id")[:8]
    return [Line(job.title, own.address("change", job.pk), job.error, job.status, job.get_status_display(), job.ended_at) for job in rows]
