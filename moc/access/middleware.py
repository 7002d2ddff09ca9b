"""What a request may see: set before any view, found anew where a view learns who asks (an API token)."""

from django.http import HttpRequest, HttpResponse

from moc import sight
from moc.access import policy


def sighted(get_response):
    """Answer with the sight of the signed-in user; a stranger's is nothing."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with sight.seeing(sight.NOTHING):
            sight.take(policy.sight_of(request.user))
            return get_response(request)

    return middleware
