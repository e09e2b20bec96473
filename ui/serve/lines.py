"""The log as lines of JSON: time, level, who says it, what, and of an error its kind and place alone.

The text of an error that nobody foresaw, or the body that a framework prints with it, may hold what a person
wrote; so neither it nor a traceback is written. Knows nothing of what is logged.
"""

import json
import logging
import time
import traceback

__all__ = ["JsonLines"]


class JsonLines(logging.Formatter):
    """A record as one line. What it was given as `extra={"told": {...}}` stands beside the rest."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "told", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            told["message"] = told["message"].partition("\n")[0]
            told["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            told["at"] = [f"{frame.filename}:{frame.lineno}" for frame in frames[-3:]]
        return json.dumps(told, ensure_ascii=False)
