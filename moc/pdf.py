"""PDF of letters and certificates, from templates."""

from django.http import HttpResponse
from django.template.loader import render_to_string


def render_pdf(request, template: str, context: dict, name: str, given: dict[str, bytes] | None = None) -> HttpResponse:
    """A template as a PDF for the reader; `given` are images by name, used in it as `given:<name>`."""
    from moc.paper import pdf  # here: WeasyPrint is half a second and 40 MB that only a process that prints shall pay

    content = pdf(render_to_string(template, context, request=request), given)
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'})
