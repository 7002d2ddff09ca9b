"""PDF of letters and certificates, from templates."""

from django.http import HttpResponse
from django.template.loader import render_to_string


def render_pdf(request, template: str, context: dict, name: str, given: dict[str, bytes] | None = None) -> HttpResponse:
    """A template as a PDF for the reader; `given` are images by name, used in it as `given:<name>`."""
    return pdf_response(to_pdf(render_to_string(template, context, request=request), given), name)


def to_pdf(html: str, given: dict[str, bytes] | None = None) -> bytes:
    """HTML as PDF."""
    from moc.paper import pdf  # here: WeasyPrint is half a second and 40 MB that only a process that prints shall pay

    return pdf(html, given)


def pdf_response(content: bytes, name: str) -> HttpResponse:
    """A PDF as the reader's browser shows it."""
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'})
