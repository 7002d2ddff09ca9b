"""A utility loads a feeder's network: read, checked, approved by a second person, current. O1."""

import io
import os
import subprocess
import sys
import zipfile
from html import unescape

import pytest

from moc.access.models import Membership, User
from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from moc.rules import registry
from operations.network import tasks
from operations.network.models import NetworkElement, NetworkPoint, NetworkVersion
from operations.network.services import building, versions
from tests.factories.filings import store_in, upload
from tests.factories.networks import points_of, rows, written

pytestmark = pytest.mark.django_db
Status = NetworkVersion.Status


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()


def loaded(world, content: bytes, *, source="table", name="network.csv") -> NetworkVersion:
    """A file loaded by the utility's administrator and read as a worker does."""
    feeder = world.feeders["edc"][0]
    version = versions.receive(actor=world.user("edc", "administrator"), feeder=feeder, source=source, upload=upload(content, name))
    tasks.read(version.job_id)
    version.refresh_from_db()
    return version


def second(world) -> User:
    """Another administrator of the utility."""
    with acting(None, "system: tests"):
        user = User.objects.create(email="second@edc.example.org", name="Second")
        Membership.objects.create(user=user, organization=world.edc, role="administrator")
    return user


def test_a_model_is_read_checked_and_linked(world):
    """O1: rows of elements and points; points named by service points are linked; the arrays come back with the same hash."""
    points = points_of(world.feeders["edc"][0])
    version = loaded(world, rows(points))
    assert version.status == Status.STAGED and not version.networkfindings.exclude(severity="warning").exists()
    assert (version.point_count, version.linked_count) == (len(points), len(points))
    assert NetworkElement.objects.filter(version=version, kind="line", loading_percent__gt=0).count() == len(points) + 1
    assert NetworkPoint.objects.filter(version=version, voltage_pu__range=(0.9, 1.1), x__isnull=False).count() == len(points)
    assert building.feeder_of(version).topology_hash == version.topology_hash


@pytest.mark.parametrize(
    "code, content",
    [
        ("NET-CONVERGES", lambda points: rows(points, metres=5_000, kw=500)),
        ("NET-ISLAND", lambda points: rows(points).replace(b"line,l2,b1,b2", b"line,l2,nowhere,b2")),
        ("NET-VOLTAGE", lambda points: rows(points).replace(b",0.208,,,,,,,,", b",0.480,,,,,,,,")),
        ("NET-RATING", lambda points: rows(points, rated_a="")),
        ("NET-LINK", lambda points: rows([*points, "nobody-knows-it"])),
        ("NET-OUTSIDE", lambda points: rows(points, metres=120, kw=6)),
        ("NET-IMPEDANCE", lambda points: rows(points).replace(b"0.4,0.1,200", b"-0.4,0.1,200", 1)),
    ],
)
def test_rule(world, code, content):
    """O1: the good model has no such finding; the bad one has, and an error keeps it from being approved."""
    points = points_of(world.feeders["edc"][0])
    good, bad = loaded(world, rows(points)), loaded(world, content(points))
    assert not good.networkfindings.filter(code=code).exists()
    finding = bad.networkfindings.filter(code=code).first()
    assert finding and finding.rule.sentence and finding.rule.remedy
    broken = bad.networkfindings.filter(severity="error").exists()
    assert bad.status == (Status.BROKEN if broken else Status.STAGED)
    if registry[code].severity == "error":
        assert broken


def test_a_broken_model_never_replaces_a_good_one(world):
    """O1: approved by a second person, current, superseded; a broken one cannot be approved."""
    feeder = world.feeders["edc"][0]
    first, actor, other = loaded(world, rows(points_of(feeder))), world.user("edc", "administrator"), second(world)
    with pytest.raises(UserError, match="second person"):
        versions.approve(actor=actor, version=first)
    versions.approve(actor=other, version=first)
    broken = loaded(world, rows(points_of(feeder), metres=5_000, kw=500))
    with pytest.raises(UserError):
        versions.approve(actor=other, version=broken)
    first.refresh_from_db()
    assert first.status == Status.CURRENT and first.valid_from
    newer = loaded(world, rows(points_of(feeder), metres=30))
    versions.approve(actor=other, version=newer)
    first.refresh_from_db()
    assert first.status == Status.SUPERSEDED and first.valid_until
    assert NetworkVersion.objects.get(feeder=feeder, status=Status.CURRENT) == newer


def test_only_the_utility_loads_and_approves(world):
    feeder = world.feeders["edc"][0]
    version = written(world, feeder)
    for actor in (world.user("edc", "reviewer"), world.user("edc2", "administrator"), world.user("aggregator", "administrator")):
        with pytest.raises(NotPermitted):
            versions.approve(actor=actor, version=version)
        with pytest.raises(NotPermitted):
            versions.receive(actor=actor, feeder=feeder, source="table", upload=upload(b"x", "x.csv"))
    assert NetworkVersion.objects.count() == 1


CIRCUIT = (
    b"clear\nnew circuit.f basekv=12.47\nnew line.l1 bus1=sourcebus bus2=b1 length=1 normamps=300\nnew load.edc-up-01 bus1=b1.1 "
    b"phases=1 kv=7.2 kw=10\nset voltagebases=[12.47]\ncalcvoltagebases\n"
)


def archive(**files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, text in files.items():
            made.writestr(name.replace("__", "/").replace("_dss", ".dss"), text)
    return content.getvalue()


def test_an_opendss_archive_is_read(world):
    """O1: several files, one of which defines the circuit; a line that does not build is left out."""
    parts = CIRCUIT.replace(b"new load", b"show voltages\nredirect parts/loads.dss\n!").replace(b"!.edc", b"!edc")
    version = loaded(world, archive(master_dss=parts, parts__loads_dss=CIRCUIT.splitlines()[3]), source="opendss", name="f.zip")
    assert version.status == Status.STAGED and version.linked_count == 1


@pytest.mark.parametrize(
    "content, said",
    [
        (CIRCUIT + b"redirect ../../secret.dss\n", "outside"),
        (CIRCUIT + b"buscoords C:\\secret.csv\n", "outside"),
        (CIRCUIT + b"new loadshape.s npts=1 mult=(file=/etc/hostname)\n", "outside"),
        (CIRCUIT + b"new generator.g bus1=b1 usermodel=evil.dll\n", "program code"),
        (b"new line.x bus1=a bus2=b\n", "defines the circuit"),
        (CIRCUIT + b"new load.odd bus1=b1.1 phases=1 kv=7.2 kw=10 model=7\n", "load model 7"),
        (CIRCUIT + b"new line.y bus1=b1 bus2=b2 linecode=unknown\n", "OpenDSS could not compile"),
        (CIRCUIT + b"new line.y bus1=b1 bus2=b2 r1=0 x1=0 r0=0 x0=0 c1=0 c0=0\n", 'for Line "y"'),
    ],
)
def test_a_strangers_script_does_no_harm(world, content, said):
    """O1, N12: nothing outside the archive is read, no program code is run, and what cannot be read says why."""
    version = loaded(world, content, source="opendss", name="f.dss")
    assert version.status == Status.FAILED
    assert said in version.job.outcome["sentence"] or said in version.job.error


@pytest.mark.parametrize(
    "wrong, said",
    [
        (b"line,l0,low", b"lime,l0,low"),
        (b"0.4,0.1,200", b"much,0.1,200"),
        (b"source,head", b"line,head"),
        (b"line,l0,low,b0,ABC", b"line,l0,low,b0,XYZ"),
        (b"0.4,0.1,200", b"0,0,200"),
        (b"0.4,0.1,200", b"nan,0.1,200"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(world, wrong, said, client_of):
    version = loaded(world, rows(points_of(world.feeders["edc"][0])).replace(wrong, said, 1))
    assert version.status == Status.FAILED and ("Row" in version.job.error or "source" in version.job.error)
    page = client_of(world.user("edc", "viewer")).get(f"/operations/networks/{version.uuid}/").content.decode()
    assert version.job.outcome["sentence"] in unescape(page) and "Every rule is met" not in page


def test_pages_show_the_drawing_and_what_is_searched(world, client_of):
    """O1: lines by loading, points by voltage, in as many paths as bands; a search marks and lists."""
    version = written(world, world.feeders["edc"][0])
    client = client_of(world.user("edc", "administrator"))
    page = client.get(f"/operations/networks/{version.uuid}/?q=edc-up-01").content.decode()
    assert 0 < page.count('class="ops-line') <= 10 and page.count('class="ops-mark"') == 1 and "load.edc-up-01" in page
    assert client_of(world.user("aggregator", "administrator")).get(f"/operations/networks/{version.uuid}/").status_code == 404


def test_a_findings_rule_is_known_to_whoever_reads_it():
    """O1: a process that never checked a model (a web server) knows the rules that findings name."""
    code = "import django; django.setup(); import operations.network.views; from moc.rules import registry; assert 'NET-LINK' in registry"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"DJANGO_SETTINGS_MODULE": "moc.settings.test"})


@pytest.mark.parametrize(
    ("source", "name", "field", "said"),
    [
        ("opendss", "network.csv", "source", "such a name ends in .dss or .zip. Choose the kind “CSV of sources"),
        ("table", "network.DSS", "source", "such a name ends in .csv. Choose the kind “OpenDSS"),
        ("cim", "network.pdf", "file", "such a name ends in .xml or .rdf. Choose another file"),
    ],
)
def test_a_file_of_another_kind_is_refused_when_it_is_sent(world, client_of, api_of, source, name, field, said):
    """At the field that is wrong, with what to choose, by page and by program; nothing is kept (O1)."""
    engineer, feeder = world.user("edc", "administrator"), world.feeders["edc"][0]
    answer = client_of(engineer).post("/operations/networks/new/", {"feeder": feeder.code, "source": source, "file": upload(b"x", name)})
    assert answer.status_code == 422 and said in answer.context["form"].errors[field][0]
    sent = api_of(engineer).post(
        f"/api/v1/operations/networks/?feeder={feeder.code}&source={source}", {"file": upload(b"x", name)}, format="multipart"
    )
    assert sent.json()["code"] == "NET-ENDING" and not NetworkVersion.objects.exists()
