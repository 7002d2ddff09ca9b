"""The page of what a job computes: how far it is, or why it could not be computed."""

from moc.jobs.views import progress_of, refusal_of
from moc.portal import Detail
from operations.computed.models import COMPUTING, FAILED


class ComputedDetail(Detail):
    """Its template includes operations/computed.html."""

    def get_context_data(self, **kwargs) -> dict:
        job, status = self.object.job, self.object.status
        shown = {"progress": progress_of(job) if job and status == COMPUTING else None}
        shown["refusal"] = refusal_of(self.object.job_id) if status == FAILED else None
        return super().get_context_data(**shown | kwargs)
