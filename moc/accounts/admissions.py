"""A new aggregator signs itself up: its address is verified before anything is kept, then a regulator or the operator admits it. N2, R5."""

from time import time

from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import slugify

from moc import sealed
from moc.access import policy
from moc.access.models import Membership, Organization, User
from moc.accounts import services
from moc.accounts.models import Admission
from moc.errors import UserError
from moc.history import acting
from moc.notices.services import tell

PERMISSION, PURPOSE = "admit_aggregators", "sign-up"
TERMS_VERSION = "2026-11"
LINK_SECONDS = 24 * 3600
FACTS = ("organization", "legal_name", "name", "email", "rerra")


def regulators() -> QuerySet[Organization]:
    """Those who may be asked to admit an aggregator."""
    return Organization.objects.filter(kind=Organization.Kind.RERRA, is_active=True)


def apply(*, organization: str, legal_name: str, name: str, email: str, rerra: Organization) -> None:
    """Write to the address; nothing is kept until its link is followed. Whoever has an account is told so, there and nowhere else."""
    facts = {"organization": organization, "legal_name": legal_name, "name": name, "email": email.lower(), "rerra": rerra.pk}
    known = User.objects.filter(email__iexact=email).exists()
    link = reverse("account_login") if known else reverse("account_sign_up_confirm", args=[link_key(facts)])
    body = render_to_string("account/email/sign_up.txt", {**facts, "known": known, "url": settings.MOC_PUBLIC_URL + link})
    send_mail(f"Sign up to {settings.MOC_TITLE}", body.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [email], fail_silently=True)


def link_key(facts: dict) -> str:
    """An application as a text for a link, which nobody else can write or read."""
    return sealed.seal([facts, int(time())], PURPOSE)


def applied(key: str) -> dict | None:
    """What the application behind a link said; None for a link that is forged, too old or used."""
    facts, made = sealed.unseal(key, PURPOSE) or ({}, 0)
    if time() - made > LINK_SECONDS:
        return None
    return None if User.objects.filter(email__iexact=facts["email"]).exists() else facts


def open_account(*, key: str, password: str) -> Admission:
    """The applicant proved the address: make account, organisation (inactive) and the wish to be admitted.

    Raises UserError (LINK_VOID, NAME_TAKEN).
    """
    facts = applied(key)
    rerra = facts and regulators().filter(pk=facts["rerra"]).first()
    if not facts or rerra is None:
        raise UserError("This link is no longer valid.", "Sign up again.", "LINK_VOID")
    try:
        with acting(None, "system: an aggregator signed up"):
            user = User.objects.create_user(facts["email"], password, name=facts["name"])
            services.claim_address(user)
            organization = Organization.objects.create(
                kind=Organization.Kind.AGGREGATOR,
                name=facts["organization"],
                legal_name=facts["legal_name"],
                slug=_slug(facts["organization"]),
                is_active=False,
            )
            Membership.objects.create(user=user, organization=organization, role=Membership.Role.ADMINISTRATOR)
            admission = Admission.objects.create(organization=organization, rerra=rerra, user=user, terms_version=TERMS_VERSION)
            _tell_those_who_decide(admission)
    except IntegrityError as error:
        raise UserError("An organisation of this name, or this address, is here already.", "Ask to be invited.", "NAME_TAKEN") from error
    return admission


def decide(*, actor: User, admissions: QuerySet[Admission], name: str, reason: str = "") -> None:
    """Admit or refuse. Raises NotPermitted, TransitionRefused, ReasonMissing."""
    found = list(admissions.select_related("organization", "rerra", "user"))
    for admission in found:
        policy.require(actor, PERMISSION, admission)
    with transaction.atomic():
        Admission.lifecycle.move(admissions, name, actor=actor, reason=reason, decided_by=actor)
        if name == "admit":
            with acting(actor, reason or "admitted"):
                Organization.objects.filter(admission__in=[admission.pk for admission in found]).update(is_active=True)
        for admission in found:
            _tell_applicant(actor, admission, name, reason)


def _tell_those_who_decide(admission: Admission) -> None:
    facts = {
        "event": "admission_asked",
        "subject": f"{admission.organization} asks to be admitted",
        "url": reverse("admission_detail", args=[admission.uuid]),
        "admission": admission,
    }
    tell(admission.rerra, PERMISSION, **facts)
    for operator in Organization.objects.filter(kind=Organization.Kind.OPERATOR, is_active=True):
        tell(operator, PERMISSION, **facts)


def _tell_applicant(actor, admission: Admission, name: str, reason: str) -> None:
    said = "admitted" if name == "admit" else "not admitted"
    tell(
        admission.organization,
        services.PERMISSION,
        event="admission_decided",
        author=actor,
        subject=f"{admission.organization} is {said}",
        url=reverse("admission_detail", args=[admission.uuid]),
        said=said,
        reason=reason,
    )


def _slug(name: str) -> str:
    base = slugify(name)[:40] or "aggregator"
    taken = set(Organization.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{number}" for number in range(2, 10_000))) if slug not in taken)
