"""A scanner for tests: it knows the EICAR test file, as every real one does."""

EICAR = b"X5O!P%@AP[4" + b"\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"  # in two pieces, so that this file is none


def eicar(upload) -> str:
    """The name of what was found."""
    upload.seek(0)
    return "EICAR-Test-File" if EICAR in upload.read() else ""
