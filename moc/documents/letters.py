"""Letters that anybody can check: each printed copy has a code of its own, and the platform keeps the digest of the file.

A kind of letter is a line here and a template in templates/documents/. Who prints has asked policy.py.
"""

import hashlib
import secrets

from django.conf import settings
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from moc import sight
from moc.access.models import Organization
from moc.documents.models import Letter
from moc.pdf import pdf_response, to_pdf

KINDS = {
    "certificate": "Registration certificate of a DER",
    "decision": "Decision of a utility's review",
    "admission": "Admission of an aggregator",
    "agreement": "Market participation agreement, as signed",
    "suspension": "Suspension of an aggregator",
    "qualification": "Qualification certificate of an aggregation",
    "determination": "Determination of a dispute",
}
ALPHABET, GROUPS, OF = "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 4, 4  # Crockford's: no letter that looks like a figure; 80 bits
ALIKE = str.maketrans("OIL", "011")


def new_code() -> str:
    """A random code as it is printed: XXXX-XXXX-XXXX-XXXX."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(OF)) for _ in range(GROUPS))


def read_code(text: str) -> str:
    """A code as somebody typed it, as it is printed."""
    letters = "".join(letter for letter in text.upper().translate(ALIKE) if letter in ALPHABET)
    return "-".join(letters[at : at + OF] for at in range(0, len(letters), OF))


@sight.engine()  # the copy is the platform's own record of what it printed
def issue(
    kind: str,
    template: str,
    context: dict,
    *,
    actor,
    issuer: Organization,
    recipient: Organization,
    request=None,
    given: dict[str, bytes] | None = None,
) -> tuple[Letter, bytes]:
    """A template as a PDF with a code, kept with its digest; `given` are images by name. Each copy is a letter of its own."""
    code = new_code()
    shell = {} if request else {"moc_title": settings.MOC_TITLE, "site_notice": settings.MOC_SITE_NOTICE}
    shown = {**shell, "code": code, "verify_url": f"{settings.MOC_PUBLIC_URL}{reverse('verify')}"}
    content = to_pdf(render_to_string(template, context | shown, request=request), given)
    digest = hashlib.sha256(content).hexdigest()
    letter = Letter.objects.create(code=code, kind=kind, issuer=issuer, recipient=recipient, sha256=digest, printed_by=actor)
    return letter, content


def print_letter(
    request,
    kind: str,
    template: str,
    context: dict,
    name: str,
    *,
    issuer: Organization,
    recipient: Organization,
    given: dict[str, bytes] | None = None,
) -> HttpResponse:
    """A letter that is printed anew each time that somebody asks for it, as the answer to the request (see issue)."""
    parties = {"issuer": issuer, "recipient": recipient}
    _, content = issue(kind, template, context, actor=request.user, request=request, given=given, **parties)
    return pdf_response(content, name)


@sight.engine()  # for whoever holds a copy; nothing else of the record is told
def checked(code: str, content: bytes | None = None) -> dict | None:
    """What a code stands for: kind, day and parties, and whether a file is that copy (None without one). None for an unknown code."""
    letter = Letter.objects.select_related("issuer", "recipient").filter(code=read_code(code)).first()
    if letter is None:
        return None
    same = None if content is None else secrets.compare_digest(hashlib.sha256(content).hexdigest(), letter.sha256)
    return {
        "kind": KINDS.get(letter.kind, letter.kind),
        "printed_on": letter.printed_at,
        "issuer": letter.issuer.legal_name or letter.issuer.name,
        "recipient": letter.recipient.legal_name or letter.recipient.name,
        "same": same,
    }
