"""Letters: a utility's letterhead and words, saved as versions that stay."""

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from moc.access import policy
from moc.access.models import Organization
from moc.errors import UserError
from moc.history import acting
from moc.letters import problems
from registry.utilities.models import LetterTemplate

PERMISSION = "manage_utility"
TEXTS = ("sender", "address", "opening", "closing", "signature")
WITH_PLACEHOLDERS = ("opening", "closing", "signature")
LOGO_FORMATS, LOGO_BYTES, LOGO_PIXELS = ("PNG", "JPEG"), 500_000, 3_000


def draft(*, actor, edc: Organization, kind: str, texts: dict[str, str], logo: bytes = b"") -> LetterTemplate:
    """The next version of a letter, checked and not saved. Raises UserError for a text that cannot be a letter's."""
    policy.require(actor, PERMISSION, edc)
    allowed = LetterTemplate.PLACEHOLDERS[kind]
    for name in WITH_PLACEHOLDERS:
        if wrong := problems(texts.get(name, ""), allowed):
            known = ", ".join(f"{{{each}}}" for each in allowed)
            raise UserError(f"{name.capitalize()}: {' '.join(wrong)}", f"Placeholders are: {known}.", "LETTER-PLACEHOLDER")
    version = LetterTemplate.objects.filter(edc=edc, kind=kind).aggregate(top=Max("version"))["top"] or 0
    return LetterTemplate(edc=edc, kind=kind, version=version + 1, logo=logo, **{name: texts.get(name, "").strip() for name in TEXTS})


@transaction.atomic
def save(*, actor, edc: Organization, kind: str, texts: dict[str, str], logo: bytes = b"") -> LetterTemplate:
    """Save a new version of a letter; decisions from now on carry it, those before keep theirs."""
    with acting(actor, f"Letter: {LetterTemplate.Kind(kind).label}"):
        Organization.objects.select_for_update().get(pk=edc.pk)  # two who save at once get two versions
        letter = draft(actor=actor, edc=edc, kind=kind, texts=texts, logo=logo)
        letter.full_clean(exclude=["edc"])
        letter.save(force_insert=True)
    return letter


def logo_of(upload) -> bytes:
    """The bytes of an uploaded logo, by its content a PNG or JPEG of modest size. Raises UserError for anything else."""
    remedy = f"Upload a PNG or JPEG of at most {LOGO_BYTES // 1000} kB and {LOGO_PIXELS:,} pixels a side."
    if upload.size > LOGO_BYTES:
        raise UserError("The logo is too large.", remedy, "LETTER-LOGO")
    try:
        image = forms.ImageField().to_python(upload).image
    except ValidationError as error:
        raise UserError("The logo is not an image.", remedy, "LETTER-LOGO") from error
    if image.format not in LOGO_FORMATS or max(image.size) > LOGO_PIXELS:
        raise UserError("The logo is not such an image.", remedy, "LETTER-LOGO")
    upload.seek(0)
    return upload.read()
