"""Background work of DERs: their exports as workbooks (the worker finds the shared task through this module)."""

from moc.exports import deliver_xlsx

__all__ = ["deliver_xlsx"]
