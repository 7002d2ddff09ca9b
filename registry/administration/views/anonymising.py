"""What of personal data falls due, for whoever oversees utilities or audits one."""

from django.http import Http404

from moc.access import policy
from moc.portal import Page
from registry.administration.services import anonymising


class Anonymisation(Page):
    """By utility: the periods with their source, and how many are due, will be within a year, wait for a dispute, and are done."""

    title = "Personal data whose period ends"
    lead = (
        "An owner none of whose DERs is registered any more is anonymised when the period of the rule set is over: the key is destroyed, "
        "so that versions and backups say nothing of the person. The records, their history and its seals stay. It is done every night."
    )
    permission = anonymising.PERMISSION
    template_name = "registry/administration/anonymisation.html"

    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated and not policy.allows(request.user, self.permission):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs) -> dict:
        rows = [] if self.undated else anonymising.preview(self.request.user)
        return super().get_context_data(**{"rows": rows} | kwargs)
