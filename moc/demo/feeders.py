"""Public test feeders that the demonstration state and the tests share: sources and licences in data/SOURCE.md."""

import tarfile
from pathlib import Path

PACKED = Path(__file__).parent / "data" / "feeders"
MASTERS = {
    "epri-ckt5": "Master_ckt5.dss",
    "ieee8500": "Master.dss",
    "european-lv": "Master.dss",
    "lv28-melbourne": "Master.txt",
    "ieee13-cim": "IEEE13_PV.xml",
    "ieee123-cim": "IEEE123_PV.xml",
}


def unpacked(name: str, into: Path) -> Path:
    """Unpacks one feeder into a directory, unless it is there already; returns its master file."""
    master = into / name / MASTERS[name]
    if not master.exists():
        with tarfile.open(PACKED / f"{name}.tar.xz") as archive:
            archive.extractall(into, filter="data")
    return master
