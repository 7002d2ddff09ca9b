"""Readers of utilities' files: each ends in OpenDSS's objects, which its engine compiles into neutral arrays."""

import re
import tempfile
from pathlib import Path

from moc.errors import UserError
from operations.network.engine import opendss
from operations.network.engine.feeder import FeederModel
from operations.network.importers import cim, cim_objects, scripts, table

FRAME = re.compile(r"Error \d+ Reported From|T\w+Obj\.\w+$")
LONGEST = 500


class NetworkRefused(UserError):
    """A file of which no network can be read."""

    code = "NET-FILE"


def read(path: Path, *, name: str, source: str) -> FeederModel:
    """The feeder of a utility's file (source: "opendss", "cim" or "table"). Raises NetworkRefused with a sentence that says why not."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            unpack = {"opendss": scripts.unpack, "cim": cim.unpack, "table": table.unpack}[source]
            return opendss.read(unpack(path, name, Path(folder)), name=Path(name).stem)
        except scripts.Unsafe as error:
            raise NetworkRefused(str(error), error.remedy) from error
        except table.Unreadable as error:
            raise NetworkRefused(str(error), "Correct the row and send the file again.") from error
        except cim_objects.Unreadable as error:
            raise NetworkRefused(str(error), "Correct the document and send it again.") from error
        except opendss.UnreadableCircuit as error:
            raise NetworkRefused(str(error), "Replace it by an element that can be read.") from error
        except opendss.engine_error() as error:
            said = _words(str(error).replace(str(folder), ""))
            raise NetworkRefused(
                f"OpenDSS could not compile the circuit: {said}", "Correct the file; it must compile by itself."
            ) from error


def _words(error: str) -> str:
    """What OpenDSS says, in one line: its first line may only announce the one that names the element."""
    lines = (line.strip() for line in error.split("\n"))
    return " ".join(line for line in lines if line and not line.endswith(":") and not FRAME.match(line))[:LONGEST]
