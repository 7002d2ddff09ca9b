"""OpenDSS files of strangers: which of them is compiled, what of it is passed on, and why one is refused. O1, N12."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from operations.network.importers import NetworkRefused, read

CODES = "new linecode.lc nphases=3 r1=0.3 x1=0.4 r0=0.6 x0=1.0\n"
HEAD = "clear\nnew circuit.f basekv=12.47\n"
REST = "new line.l1 bus1=sourcebus bus2=b1 linecode=lc length=1\nset voltagebases=[12.47]\ncalcvoltagebases\n"


def feeder(folder: Path, files: dict[str, str | bytes], name: str = "f.zip"):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for member, text in files.items():
            made.writestr(member, text)
    (folder / name).write_bytes(content.getvalue())
    return read(folder / name, name=name, source="opendss")


def said_of(folder: Path, files: dict[str, str], name: str = "f.zip") -> str:
    with pytest.raises(NetworkRefused) as refused:
        feeder(folder, files, name)
    return str(refused.value)


def test_files_are_found_as_windows_does(tmp_path):
    """O1: in a folder beside, in another case, with backslashes, quotes and tabs."""
    files = {
        "common/LineCodes.DSS": CODES,
        "f/main.dss": f'{HEAD}Redirect\t..\\Common\\linecodes.dss ! the codes\nredirect "parts/the rest.dss"\n',
        "f/parts/The Rest.dss": REST,
    }
    assert list(feeder(tmp_path, files).element_names) == ["vsource.source", "line.l1"]


def test_a_property_given_without_a_verb_is_passed_on(tmp_path):
    """O1: a circuit of which a line were left out silently would be another circuit."""
    longer = feeder(tmp_path, {"f.dss": HEAD + CODES + REST + "line.l1.length=2\n"})
    short = feeder(tmp_path, {"f.dss": HEAD + CODES + REST})
    assert longer.admittances[-1] == pytest.approx(short.admittances[-1] / 2)


def test_only_settings_that_build_are_passed_on(tmp_path):
    """O1, N12: also of several on a line; the beginning of a name counts, as in OpenDSS; no setting stays for the next circuit."""
    codes = CODES.strip() + " basefreq=60 c1=0 c0=0\n"
    at_50 = feeder(tmp_path, {"f.dss": f"clear\nset defaultbasefreq=50 datapath=/nowhere\n{HEAD[6:]}{codes}{REST}"})
    at_60 = feeder(tmp_path, {"f.dss": HEAD + codes + REST})
    ohms_50, ohms_60 = (np.linalg.inv(each.admittances[-36:].reshape(6, 6)[:3, :3]) for each in (at_50, at_60))
    assert ohms_50.imag == pytest.approx(ohms_60.imag * 50 / 60, rel=0.05)  # the return through the earth is not in proportion


def test_scripts_that_are_not_read_may_say_anything(tmp_path):
    """O1: an archive of a study holds more than its circuit."""
    files = {"master.dss": HEAD + CODES + REST, "Run.dss": "compile master.dss\nredirect gone.dss\ndoscmd format\n"}
    assert "line.l1" in feeder(tmp_path, files).element_names


def test_of_several_circuits_the_archive_names_one(tmp_path):
    """O1: two masters of the same circuit are refused, unless the archive bears the name of one."""
    parts = {"parts.dss": "new circuit.f basekv=12.47\n" + CODES + REST}
    more = "new load.one bus1=b1 kv=12.47 kw=10\n"
    files = parts | {"Master_a.dss": "clear\nredirect parts.dss\n", "Master_b.dss": f"clear\nredirect parts.dss\n{more}"}
    assert "Several files build a circuit: master_a.dss, master_b.dss" in said_of(tmp_path, files)
    assert len(feeder(tmp_path, files, "Master_b.zip").points) == 1


@pytest.mark.parametrize(
    "line, said",
    [
        ("redirect ../secret.dss", "main.dss, line 3: ../secret.dss points outside the archive."),
        ("redirect gone.dss", "main.dss, line 3: gone.dss is not in the archive."),
        ("new loadshape.s npts=1 mult=(file=gone.csv)", "main.dss, line 3: gone.csv is not in the archive."),
        ("new loadshape.s npts=1 mult=(file=/etc/hostname)", "outside"),
        ("doscmd format", "main.dss, line 3: the command doscmd is not read."),
        ("distribute kw=1000", "the command distribute is not read."),
        ("new loadshape.s npts=1 mult=(1) action=dblsave", "writes files"),
    ],
)
def test_what_cannot_be_passed_on_names_file_and_line(tmp_path, line, said):
    """O1, N12."""
    assert said in said_of(tmp_path, {"main.dss": f"{HEAD}{line}\n{CODES}{REST}"})


def test_shapes_in_numbers_are_put_where_the_line_reads_them(tmp_path):
    """O1: binary files are copied as they are."""
    numbers = {
        "main.dss": HEAD + CODES + REST + "new loadshape.s npts=1 mult=(sngfile=a.sng)\n",
        "a.sng": b"\xff\x00\x80\x3f".decode("latin-1"),
    }
    assert "line.l1" in feeder(tmp_path, numbers).element_names


def test_no_command_hides_in_what_is_read(tmp_path):
    """N12: a file without a line that builds is cleaned as well when a script runs it; one of places is only read."""
    assert "the command doscmd is not read" in said_of(tmp_path, {"main.dss": f"{HEAD}redirect odd.txt\n", "odd.txt": "doscmd format\n"})
    placed = feeder(tmp_path, {"main.dss": f"{HEAD}{CODES}{REST}buscoords xy.dat\n", "xy.dat": "b1, 3.5, 4\n"})
    assert placed.xy[list(placed.buses).index("b1")].tolist() == [3.5, 4]
