"""An aggregator's registration, signature, standing and suspension: R5, ¶352."""

from datetime import timedelta
from hashlib import sha256

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.accesslog.models import AccessEntry
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.models import Notice
from moc.rulesets.models import RuleSet
from moc.vault.models import SubjectKey
from registry.aggregations.services import building
from registry.aggregators import reports
from registry.aggregators.models import AggregatorRegistration, AgreementSignature, Certification, Suspension
from registry.aggregators.services import parts, registering, standing
from registry.participants.services import opened
from registry.submissions.services import filing
from tests.factories.filings import row, staged, store_in
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def newcomer(world):
    """The second aggregator before it has begun."""
    with acting(None, REASON):
        AggregatorRegistration.objects.filter(aggregator=world.aggregator2).delete()
    return world.aggregator2


def certify(world, aggregator, kind="licence", days=90, evidence=True) -> Certification:
    file = ContentFile(b"A certificate", name="certificate.txt") if evidence else None
    given = {"kind": kind, "issuer": "A board", "expires_on": TODAY + timedelta(days=days), "evidence": file}
    return registering.add_certification(actor=None, aggregator=aggregator, **given)


def expire(certification: Certification) -> None:
    with acting(None, REASON):
        Certification.objects.filter(pk=certification.pk).update(expires_on=TODAY - timedelta(days=1))


def sign_again(world) -> None:
    """Another text comes in force."""
    with acting(None, REASON):
        RuleSet.objects.filter(key="participation_agreement").update(value={"version": "9", "text": "Another text."})


def whole(world, newcomer) -> AggregatorRegistration:
    """A registration that lacks nothing."""
    actor = world.user("aggregator2", "administrator")
    by = {"actor": actor, "aggregator": newcomer}
    company = {"legal_form": "LLC", "formed_in": "NJ", "address": "1 State Street"}
    made = registering.start(**by, rerra=world.rerra2, tax_id="12-3456789", **company)
    registering.add_officer(**by, title="CEO", signs=True, name="A. Person")
    for purpose in reports.PURPOSES:
        parts.add(**by, part="contacts", purpose=purpose, name="A desk")
    certify(world, newcomer)
    sign_again(world)
    registering.sign(**by, version="9", signed_as="CEO")
    return made


def test_a_registration_is_reviewed_by_its_regulator(world, newcomer):
    """From the first page to registered: who submits does not decide, and each is told."""
    made = whole(world, newcomer)
    registering.move(actor=world.user("aggregator2", "administrator"), registration=made, name="submit")
    assert Notice.objects.filter(user=world.user("rerra2", "administrator"), event="registration").exists()
    with pytest.raises(NotPermitted):
        registering.move(actor=world.user("aggregator2", "administrator"), registration=made, name="register")
    with pytest.raises(NotPermitted):
        registering.move(actor=world.user("rerra", "administrator"), registration=made, name="register")
    registering.move(actor=world.user("rerra2", "administrator"), registration=made, name="register")
    made.refresh_from_db()
    assert (made.status, made.registered_on) == ("registered", TODAY)
    assert Notice.objects.filter(user=world.user("aggregator2", "administrator"), event="registration").exists()
    assert reports.obstacles(newcomer) == []


@pytest.mark.parametrize(
    ("left_out", "words"),
    [("address", "registered address"), ("officers", "officer"), ("contacts", "contact for market"), ("certifications", "certification")],
)
def test_an_incomplete_registration_is_not_submitted(world, newcomer, left_out, words):
    made = whole(world, newcomer)
    with acting(None, REASON):
        if left_out == "address":
            AggregatorRegistration.objects.filter(pk=made.pk).update(address="")
        else:
            for part in parts.rows(left_out, newcomer):
                parts.end(actor=None, kind=left_out, part=part)
    made.refresh_from_db()
    with pytest.raises(UserError, match=words) as refused:
        registering.move(actor=world.user("aggregator2", "administrator"), registration=made, name="submit")
    assert refused.value.code == "REGISTRATION-INCOMPLETE"
    made.refresh_from_db()
    assert made.status == "draft"


def test_a_returned_registration_needs_a_reason_and_comes_back(world, newcomer):
    made = whole(world, newcomer)
    registering.move(actor=world.user("aggregator2", "administrator"), registration=made, name="submit")
    with pytest.raises(Conflict):
        registering.change(actor=world.user("aggregator2", "administrator"), registration=made, address="2 State Street")
    regulator = world.user("rerra2", "administrator")
    with pytest.raises(UserError, match="reason"):
        registering.move(actor=regulator, registration=made, name="return")
    registering.move(actor=regulator, registration=made, name="return", reason="Which address?")
    registering.change(actor=world.user("aggregator2", "administrator"), registration=made, address="2 State Street")
    registering.move(actor=world.user("aggregator2", "administrator"), registration=made, name="submit")
    made.refresh_from_db()
    assert (made.status, made.address) == ("submitted", "2 State Street")


def test_the_tax_id_is_sealed_and_a_look_at_it_is_logged(world):
    """N12: no table holds it; a new one destroys the key of the former."""
    registration = world.aggregator.registration
    actor = world.user("aggregator", "administrator")
    registering.change(actor=actor, registration=registration, tax_id="12-3456789")
    registration.refresh_from_db()
    former = registration.subject
    assert opened(registration) == {"tax_id": "12-3456789"} and b"3456789" not in bytes(registration.sealed)
    registering.change(actor=actor, registration=registration, tax_id="98-7654321")
    assert not SubjectKey.objects.filter(pk=former).exists()
    registration.refresh_from_db()
    found = parts.reveal(actor=world.user("rerra", "administrator"), registration=registration, purpose="legal")
    assert ("Tax id", "98-7654321", None, None) in found[0][1]
    assert AccessEntry.objects.latest("pk").record == "aggregator registration"
    with pytest.raises(NotPermitted):
        parts.reveal(actor=world.user("rerra2", "administrator"), registration=registration, purpose="legal")


def test_a_person_signs_the_text_in_force_and_its_hash_is_kept(world):
    """¶352: an attestation of compliance; nothing asks for a utility's consent."""
    sign_again(world)
    by = {"aggregator": world.aggregator, "signed_as": "CEO"}
    with pytest.raises(UserError, match="version 9"):
        registering.sign(actor=world.user("aggregator", "administrator"), version="2026-1", **by)
    with pytest.raises(NotPermitted):
        registering.sign(actor=world.user("aggregator", "approver"), version="9", **by)
    made = registering.sign(actor=world.user("aggregator", "administrator"), version="9", **by)
    assert made.text_sha256 == sha256(b"Another text.").hexdigest()
    with pytest.raises(Conflict):
        registering.sign(actor=world.user("aggregator", "administrator"), version="9", **by)
    with pytest.raises(DatabaseError), transaction.atomic(), acting(None, REASON):
        AgreementSignature.objects.filter(pk=made.pk).update(signed_as="Nobody")


def test_the_shipped_agreement_attests_compliance_and_no_consent(world):
    text = reports.agreement().text
    assert "attests that its aggregations comply" in text and "does not attest that a utility or an authority has consented" in text


def submit(world, n: int):
    draft = staged(world, [row(n)])
    return filing.submit(actor=world.user("aggregator", "approver"), submission=draft, attestation_version=filing.attestation()[0])


def test_in_good_standing_a_filing_is_accepted(world):
    assert submit(world, 1).status == "in_review"


def unregister(world):
    with acting(None, REASON):
        AggregatorRegistration.objects.filter(aggregator=world.aggregator).delete()


def lapse(world):
    expire(certify(world, world.aggregator))


def suspended(by: str):
    def suspend(world):
        said = {"reason": "breach", "statement": "The attestation was false."}
        standing.suspend(actor=None, aggregator=world.aggregator, authority=world.organizations[by], **said)

    return suspend


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        (unregister, "AGGREGATOR-UNREGISTERED"),
        (sign_again, "AGREEMENT-UNSIGNED"),
        (lapse, "CERTIFICATION-EXPIRED"),
        (suspended("rerra"), "AGGREGATOR-SUSPENDED"),
        (suspended("edc"), "AGGREGATOR-SUSPENDED"),
    ],
)
def test_what_suspends_filing_but_no_record(world, happens, code):
    """The filing is refused with a clear error and nothing is changed; what is registered stays."""
    before = submit(world, 1)
    draft = staged(world, [row(2)])
    happens(world)
    with pytest.raises(UserError) as refused:
        filing.submit(actor=world.user("aggregator", "approver"), submission=draft, attestation_version=filing.attestation()[0])
    assert refused.value.code == code and refused.value.remedy
    draft.refresh_from_db()
    before.refresh_from_db()
    assert (draft.status, before.status) == ("draft", "in_review")


@pytest.mark.parametrize("by", ["edc2", "tso"])
def test_a_suspension_bars_only_its_own_level(world, by):
    suspended(by)(world)
    assert submit(world, 1).status == "in_review"


def test_an_rto_bars_its_market(world):
    suspended("tso")(world)
    actor = world.user("aggregator", "approver")
    made = building.create(actor=actor, aggregator=world.aggregator, name="A", tso=world.tso, services=["energy"])
    with pytest.raises(UserError, match="suspended"):
        building.move(actor=actor, aggregation=made, name="submit")


def test_reinstatement_lets_file_again_and_is_the_authoritys(world):
    suspended("rerra")(world)
    one = Suspension.objects.get()
    with pytest.raises(NotPermitted):
        standing.reinstate(actor=world.user("edc", "administrator"), suspension=one, reason="Mended")
    with pytest.raises(UserError, match="reason"):
        standing.reinstate(actor=world.user("rerra", "administrator"), suspension=one, reason="")
    standing.reinstate(actor=world.user("rerra", "administrator"), suspension=one, reason="Mended")
    assert submit(world, 1).status == "in_review"
    one.refresh_from_db()
    assert (one.status, one.lifted_by) == ("lifted", world.user("rerra", "administrator"))


@pytest.mark.parametrize(
    ("reason", "statement", "evidence", "code"),
    [
        ("dislike", "No.", None, "SUSPENSION-REASON"),
        ("breach", " ", None, "SUSPENSION-REASON"),
        ("reliability", "It trips.", None, "SUSPENSION-EVIDENCE"),
        ("reliability", "It trips.", ContentFile(b"study", name="study.txt"), ""),
    ],
)
def test_a_suspension_says_why_and_demonstrates_threats(world, reason, statement, evidence, code):
    """¶297: a threat to reliability is demonstrated."""
    given = {"aggregator": world.aggregator, "authority": world.edc, "reason": reason, "statement": statement, "evidence": evidence}
    if code:
        with pytest.raises(UserError) as refused:
            standing.suspend(actor=world.user("edc", "administrator"), **given)
        assert refused.value.code == code and not Suspension.objects.exists()
    else:
        assert standing.suspend(actor=world.user("edc", "administrator"), **given).level == "utility"


def test_one_authority_suspends_once(world):
    suspended("rerra")(world)
    with pytest.raises(Conflict):
        suspended("rerra")(world)


def test_a_renewal_takes_the_place_of_what_expired(world):
    expire(certify(world, world.aggregator))
    certify(world, world.aggregator, days=400)
    assert reports.obstacles(world.aggregator) == []


def warned(world) -> list[str]:
    user = world.user("aggregator", "filer")
    return list(Notice.objects.filter(user=user, event="certification").order_by("pk").values_list("subject", flat=True))


def test_an_expiry_is_told_sixty_and_fifteen_days_ahead_and_when_it_came(world):
    certify(world, world.aggregator, days=100)
    day = TODAY + timedelta(days=100)
    for ahead, told in ((61, 0), (60, 1), (59, 1), (16, 1), (15, 2), (1, 2), (0, 2), (-1, 3), (-2, 3)):
        standing.warn(day - timedelta(days=ahead))
        assert len(warned(world)) == told, ahead
    assert "expires on" in warned(world)[0] and "filing is suspended" in warned(world)[2]


def test_what_was_renewed_is_not_warned_of(world):
    certify(world, world.aggregator, days=10)
    certify(world, world.aggregator, days=400)
    assert standing.warn() == 0 and warned(world) == []


def test_a_membership_ends_once_and_keeps_its_end(world):
    given = {"tso": world.tso, "member_no": "M-1", "starts_on": TODAY - timedelta(days=9)}
    made = registering.add_membership(actor=None, aggregator=world.aggregator, **given)
    registering.end_membership(actor=world.user("aggregator", "administrator"), membership=made)
    made.refresh_from_db()
    assert made.valid_during.upper == TODAY
    with pytest.raises(Conflict):
        registering.end_membership(actor=world.user("aggregator", "administrator"), membership=made)
    registering.add_membership(actor=None, aggregator=world.aggregator, **given | {"starts_on": TODAY})
