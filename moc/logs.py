"""Structured logs: one JSON object per line, with the request or task that it belongs to and who acted."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

from celery import current_task
from django.utils.functional import LazyObject

current_request: ContextVar = ContextVar("current_request", default=None)
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def actor_of(request) -> int | None:
    """The id of the signed-in user, without asking the database: None until the request's user has been looked up."""
    user = vars(request).get("user")
    if isinstance(user, LazyObject):
        user = getattr(request, "_cached_user", None)
    return getattr(user, "pk", None)


def _where() -> dict:
    request = current_request.get()
    if request is not None:
        return {"request_id": request.request_id, "actor": actor_of(request)}
    if current_task and current_task.request.id:
        return {"task": current_task.name, "task_id": current_task.request.id, "arguments": list(current_task.request.args or ())}
    return {}


class JsonFormatter(logging.Formatter):
    """time (UTC), level, logger, message, request id and actor or task, whatever was passed as `extra`, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_where(),
            **{name: value for name, value in vars(record).items() if name not in STANDARD and name != "request"},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps({name: value for name, value in line.items() if value is not None}, default=str, ensure_ascii=False)
