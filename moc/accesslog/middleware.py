"""Every answer that is an export is entered in the access log: at once, or when its stream has ended."""

from django.http import HttpRequest, HttpResponse

from moc.accesslog.services import exported
from moc.portal.streaming import Tally

CURSORS = {"after", "before", "page_size", "count", "csrfmiddlewaretoken"}


def exports(get_response):
    """Write down what a view has put into `response.tally`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        tally = getattr(response, "tally", None)
        if tally is not None:
            tally.then = lambda ended: _write(request, ended)
            if not tally.streams:
                tally.end(complete=True)
        return response

    return middleware


def _write(request: HttpRequest, tally: Tally) -> None:
    given = {name: [value.replace("\0", "") for value in values] for name, values in request.GET.lists() if name not in CURSORS}
    filters = {name: values if len(values) > 1 else values[0] for name, values in given.items()}
    exported(
        actor=request.user,
        what=tally.what,
        format=tally.format,
        rows=tally.rows,
        holder=tally.holder,
        filters=filters,
        as_of=tally.moment,
        address=request.path,
        complete=tally.complete,
    )
