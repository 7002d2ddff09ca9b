"""Readers of utilities' files: each ends in OpenDSS's objects, which its engine compiles into neutral arrays."""

import tempfile
from pathlib import Path

from moc.errors import UserError
from operations.network.engine import opendss
from operations.network.engine.feeder import FeederModel
from operations.network.importers import cim, cim_objects, scripts, table


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
            said = str(error).replace(str(folder), "").split("\n")[0]
            raise NetworkRefused(
                f"OpenDSS could not compile the circuit: {said}", "Correct the file; it must compile by itself."
            ) from error
