"""WeasyPrint, with our own fonts and files only: nothing is fetched from a network. Imported by moc.pdf when a document is printed."""

import mimetypes

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

SCHEME, GIVEN = "static:", "given:"
STYLE = "moc/document.css"


class OwnFilesOnly(URLFetcher):
    """Answers `static:<path>` from the static files and `given:<name>` from what the caller gave; everything else is refused."""

    def __init__(self, given: dict[str, bytes] | None = None):
        super().__init__()
        self.given = given or {}

    def fetch(self, url, headers=None):
        if url.startswith(GIVEN) and url.removeprefix(GIVEN) in self.given:
            return URLFetcherResponse(url, self.given[url.removeprefix(GIVEN)], {"Content-Type": "application/octet-stream"})
        if not url.startswith(SCHEME):
            raise ValueError(f"A document may use only the platform's own files, not {url}")
        name = url.removeprefix(SCHEME)
        return URLFetcherResponse(url, _content(name), {"Content-Type": mimetypes.guess_type(name)[0] or "application/octet-stream"})


def _content(name: str) -> bytes:
    """A static file: as collected in production, from its source in development."""
    found = finders.find(name)
    if found:
        with open(found, "rb") as file:
            return file.read()
    with staticfiles_storage.open(name) as file:
        return file.read()


def pdf(html: str, given: dict[str, bytes] | None = None) -> bytes:
    """HTML as PDF bytes, in the platform's page style, tagged for screen readers. `given` are images by name, used as `given:<name>`."""
    fonts, fetcher = FontConfiguration(), OwnFilesOnly(given)
    page = CSS(string=_content(STYLE).decode(), font_config=fonts, url_fetcher=fetcher, base_url=SCHEME)
    return HTML(string=html, url_fetcher=fetcher, base_url=SCHEME).write_pdf(stylesheets=[page], font_config=fonts, pdf_variant="pdf/ua-1")
