"""Staff who entered a grant act for its organisation with every request, until they leave or the grant ends."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from moc.access.support import grant_of

ENTERED = "moc_support"


def acting_for(get_response):
    """Put the grant of the session on the request's user; a grant that has ended leaves the session, and a page says so."""

    def middleware(request: HttpRequest) -> HttpResponse:
        entered = request.session.get(ENTERED)
        if entered is None or not request.user.is_authenticated:
            return get_response(request)
        request.user.support = grant_of(request.user, entered)
        if request.user.support is not None:
            return get_response(request)
        del request.session[ENTERED]
        if request.path.startswith("/api/"):
            return get_response(request)
        messages.warning(request, "The support access has ended: you act for yourself again. Nothing was done with this request.")
        return redirect("support")

    return middleware
