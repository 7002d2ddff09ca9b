"""A CIM100 document becomes a network: the same power flow as the OpenDSS model of the same feeder, and no harm from strangers. O1."""

from pathlib import Path

import numpy as np
import pytest

from operations.network import importers
from operations.network.engine import opendss
from operations.network.engine.controls import ControlledFlow
from operations.network.engine.powerflow import PowerFlow
from operations.network.importers import cim, cim_objects
from operations.network.models import NetworkVersion
from operations.network.services import versions
from tests.factories.filings import store_in
from tests.factories.networks import points_of
from tests.operations import feeders
from tests.operations.network.test_power_flow import AGREED
from tests.operations.network.test_versions import loaded, second

Status = NetworkVersion.Status
REFERENCES = Path(__file__).parents[1] / "references"
STILL = ("set controlmode=off",)
SPREAD = "batchedit load..* vminpu=0.7 vmaxpu=1.3"  # CIM knows no voltage at which a load's response changes
# what the documents say otherwise than the OpenDSS models beside them, which are brought to what the documents say
DIFFERENCES = {
    "ieee13-cim": (
        SPREAD,
        "edit line.sect1 r1=1e-4 r0=1e-4 x1=0 x0=0 c1=0 c0=0 length=0.001",  # a switch has no impedance in CIM
        "edit line.sw_bat3 rmatrix=(6.2137274e-8 | 0 6.2137274e-8) xmatrix=(6.2137274e-8 | 0 6.2137274e-8)",  # per mile, at one metre
    ),
    "ieee123-cim": (
        SPREAD,
        "edit transformer.reg4b wdg=2 tap=1.01875",  # a step higher in the document
        *(f"edit capacitor.{name} kv=2.402" for name in ("c88a", "c90b", "c92c")),  # rounded to 2.40 in the OpenDSS model
    ),
}


def magnitudes(dss) -> dict[str, float]:
    """Voltages of all nodes, per unit."""
    found = {}
    for bus in dss.Circuit.AllBusNames():
        dss.Circuit.SetActiveBus(bus)
        values = np.asarray(dss.Bus.puVmagAngle())[::2]
        found |= {f"{bus.lower()}.{node}": value for node, value in zip(dss.Bus.Nodes(), values, strict=True)}
    return found


@pytest.mark.parametrize("name, nodes", [("ieee13-cim", 61), ("ieee123-cim", 442)])
def test_the_document_flows_as_the_opendss_model(name, nodes, tmp_path):
    """O1: every node within 1e-5 per unit of the OpenDSS model, with our solver and what the two say differently brought together."""
    master = cim.unpack(feeders.master(name), f"{name}.xml", tmp_path)
    feeder = opendss.read(master, commands=STILL)
    flow = PowerFlow(feeder).solve(feeder.leg_va()[:, None], nodes=True)
    assert flow.converged.all() and len(feeder.nodes) == nodes
    ours = dict(zip(feeder.nodes, np.abs(flow.nodes[:, 0]) / feeder.node_volts, strict=True))
    theirs = magnitudes(opendss.compile_circuit(REFERENCES / f"{name.removesuffix('-cim')}-pv.dss", (*DIFFERENCES[name], *STILL)))
    assert theirs.keys() == ours.keys()
    assert max(abs(ours[node] - theirs[node]) for node in ours) <= AGREED
    assert np.isfinite(feeder.xy).all() and len(feeder.rating_amps) > 0 and len(feeder.regulators) in (3, 7)


CONTROLS = {
    "voltage": "capacitor=cap1 element=line.650632 terminal=2 type=voltage ptratio=20 onsetting=105 offsetting=115 delay=30",
    "kvar": "capacitor=cap1 element=line.650632 terminal=1 type=kvar ptratio=1 onsetting=3000 offsetting=1750 delay=30",
    "current": "capacitor=cap2 element=line.692675 terminal=1 type=current ctratio=2 ctphase=3 ptphase=3 onsetting=150 offsetting=75",
    "stays": "capacitor=cap2 element=line.692675 terminal=1 type=current ctratio=2 ctphase=1 ptphase=1 onsetting=150 offsetting=75",
}


@pytest.mark.parametrize("kind", CONTROLS)
def test_controls_of_capacitors_switch_as_opendss_own(kind, tmp_path):
    """O1: OpenDSS writes a feeder with a CapControl as CIM100; what is read of it switches the bank as OpenDSS does, by the phase that
    is watched, and flows alike."""
    circuit, path = REFERENCES / "ieee13-pv.dss", tmp_path / "f.xml"
    taps, added = "batchedit regcontrol..* band=40", f"new capcontrol.c {CONTROLS[kind]}"  # so wide that no tap moves
    opendss.compile_circuit(circuit).Text.Command(added)
    opendss.engine().Text.Command(f'export cim100 file="{path}" substation=s subgeographicalregion=g geographicalregion=r')
    master = cim.unpack(path, "f.xml", tmp_path)
    start, read = opendss.read(master, commands=(taps, *STILL)), opendss.read(master, commands=(taps,))
    found = ControlledFlow(start).solve(start.leg_va()[:, None])
    theirs = magnitudes(opendss.compile_circuit(circuit, (taps, *DIFFERENCES["ieee13-cim"], added, "set controlmode=static")))
    dss = opendss.engine()
    dss.Capacitors.Name(dss.CapControls.Capacitor())
    assert start.capacitors["closed"].all() and found.settled.all()
    assert any(dss.Capacitors.States()) == found.closed[0, 0] == read.capacitors["closed"][0] == (kind == "stays")
    ours = dict(zip(read.nodes, np.abs(found.nodes[:, 0]) / read.node_volts, strict=True))
    assert max(abs(ours[node] - theirs[node]) for node in ours) <= AGREED


@pytest.mark.parametrize(
    "wrong, right, said",
    [
        ("RegulatingControlModeKind.voltage", "RegulatingControlModeKind.moon", "mode moon"),
        ("PhaseCode.A", "PhaseCode.N", "no phase"),
        (">2200<", ">x<", "targetValue is not a number"),
    ],
)
def test_a_control_that_cannot_be_read_is_named(wrong, right, said, tmp_path):
    """O1: never a bank that switches otherwise than the document says."""
    path = tmp_path / "f.xml"
    opendss.compile_circuit(REFERENCES / "ieee13-pv.dss").Text.Command(f"new capcontrol.c {CONTROLS['voltage']}")
    opendss.engine().Text.Command(f'export cim100 file="{path}" substation=s subgeographicalregion=g geographicalregion=r')
    before, control, after = path.read_text().partition("<cim:RegulatingControl ")
    assert wrong in after
    path.write_text(before + control + after.replace(wrong, right, 1))
    with pytest.raises(importers.NetworkRefused, match=said):
        importers.read(path, name="f.xml", source="cim")


@pytest.mark.django_db
def test_a_document_is_staged_checked_and_approved(world, settings, tmp_path):
    """O1: as the other kinds of files; points that bear a service point's id are linked."""
    store_in(settings, tmp_path)
    feeder = world.feeders["edc"][0]
    first, other = points_of(feeder)[:2]
    usage = f'<cim:UsagePoint rdf:about="urn:uuid:UP2"><cim:IdentifiedObject.name>{other}</cim:IdentifiedObject.name>'
    usage += '<cim:UsagePoint.Equipments rdf:resource="urn:uuid:340A9A64-2387-4987-8866-D6131D58F837"/></cim:UsagePoint>'
    text = feeders.master("ieee13-cim").read_text().replace(">634a</", f">{first}</").replace("</rdf:RDF>", f"{usage}</rdf:RDF>")
    version = loaded(world, text.encode(), source="cim", name="f.xml")
    assert (version.status, version.node_count, version.linked_count) == (Status.STAGED, 61, 2)
    assert not version.networkfindings.filter(severity="error").exists()
    versions.approve(actor=second(world), version=version)
    version.refresh_from_db()
    assert version.status == Status.CURRENT


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
HEAD = '<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
SOURCE = '<cim:EnergySource rdf:about="#_1"><cim:EnergySource.nominalVoltage>{}</cim:EnergySource.nominalVoltage></cim:EnergySource>'


@pytest.mark.parametrize(
    "content, said",
    [
        (f"{LAUGHS}{HEAD}&b;</rdf:RDF>", "document type"),
        (f"{OUTSIDE}{HEAD}&a;</rdf:RDF>", "document type"),
        ("\x00\x01\x02", "no XML"),
        (f"{HEAD}<cim:A rdf:about='1'>", "no XML"),
        ("<html/>", "root is not rdf:RDF"),
        (f"{HEAD}</rdf:RDF>", "no objects"),
        (f"{HEAD}<cim:A/></rdf:RDF>", "no id"),
        (f"{HEAD}<cim:A rdf:about='1'><cim:B><cim:C><cim:D/></cim:C></cim:B></cim:A></rdf:RDF>", "deeper"),
        (f"{HEAD}<cim:A rdf:about='1'><cim:B>{'x' * 20_000}</cim:B></cim:A></rdf:RDF>", "longer than"),
        (f"{HEAD}<cim:A rdf:about='1'/></rdf:RDF>", "exactly one EnergySource"),
        (f"{HEAD}{SOURCE.format('nan')}</rdf:RDF>", "not a number"),
        (f"{HEAD}{SOURCE.format('4160')}</rdf:RDF>", "no terminal"),
    ],
)
def test_a_strangers_document_does_no_harm(content, said, tmp_path):
    """O1, N12: no entity is resolved, nothing is endless, and what cannot be read is one sentence."""
    path = tmp_path / "f.xml"
    path.write_text(content)
    with pytest.raises(importers.NetworkRefused, match=said):
        importers.read(path, name="f.xml", source="cim")


@pytest.mark.parametrize(
    "wrong, right, said",
    [
        ("cim:Recloser", "cim:Junction", "equipment of this class"),
        ("WindingConnection.D", "WindingConnection.Zn", "winding connection Zn"),
        ("OrderedPhaseCodeKind.Ns2", "OrderedPhaseCodeKind.Q", "phases Q"),
        (">609.6<", ">six<", "Conductor.length is not a number: six"),
        ("SinglePhaseKind.s1", "SinglePhaseKind.N", "N is no phase"),
        ("146D6A01-E37F-4CF5-9705-38C5817DE913", "nowhere", "refers to nothing"),
    ],
)
def test_what_cannot_be_an_element_is_named(wrong, right, said, tmp_path):
    """O1: never a flow of half a circuit."""
    path = tmp_path / "f.xml"
    text = feeders.master("ieee13-cim").read_text()
    broken = (
        text.replace(f'rdf:resource="urn:uuid:{wrong}"', f'rdf:resource="urn:uuid:{right}"')
        if right == "nowhere"
        else text.replace(wrong, right)
    )
    assert broken != text
    path.write_text(broken)
    with pytest.raises(importers.NetworkRefused, match=said):
        importers.read(path, name="f.xml", source="cim")


def test_a_document_is_bounded(monkeypatch, tmp_path):
    """N12: more objects or bytes than the bounds refuse it before it fills memory."""
    path = feeders.master("ieee13-cim")
    monkeypatch.setattr(cim_objects, "MOST_OBJECTS", 50)
    with pytest.raises(cim_objects.Unreadable, match="more than 50 objects"):
        cim_objects.read(path)
    monkeypatch.setattr(cim_objects, "MOST_BYTES", 1_000)
    with pytest.raises(cim_objects.Unreadable, match="larger than"):
        cim_objects.read(path)


def test_names_of_strangers_are_names_only(tmp_path):
    """N12: a name cannot become a command of OpenDSS."""
    path = tmp_path / "f.xml"
    path.write_text(feeders.master("ieee13-cim").read_text().replace(">650632<", ">x&#10;redirect /etc/hostname<"))
    text = cim.unpack(path, "f.xml", tmp_path).read_text()
    assert "\nredirect" not in text and "new line.x_redirect__etc_hostname " in text
