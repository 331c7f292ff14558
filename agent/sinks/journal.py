"""Events as log lines: one line each, with the code and ``key=value`` fields that a machine can cut apart."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import AsyncIterator, Mapping

from agent.core.codes import Severity
from agent.core.model import Recorded, Scalar
from agent.text import words

_LEVELS = {
    Severity.DEBUG: logging.DEBUG,
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.ALERT: logging.ERROR,
}
_PRIORITIES = {Severity.DEBUG: 7, Severity.INFO: 6, Severity.WARNING: 4, Severity.ALERT: 3}
"""Syslog's numbers, which systemd reads at the start of a line."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PLAIN = re.compile(r"[^\s\"=\\\x00-\x1f\x7f-\x9f]+")


def line(recorded: Recorded, language: str, *, prefixed: bool = False) -> str:
    """One event as one line: code, fields, sentence.

    Args:
        recorded: the event.
        language: of the sentence.
        prefixed: begin with systemd's priority (``<4>``); only for a stream that goes to the journal
            unchanged.
    """
    event = recorded.event
    fields: dict[str, Scalar] = {"subject": event.subject, "severity": event.severity.value}
    if event.alert:
        fields["alert"] = True
    if event.incident is not None:
        fields["incident"] = event.incident
    if recorded.seq is not None:
        fields["seq"] = recorded.seq
    fields |= {key: value for key, value in event.args.items() if key != "label"}
    shown = " ".join(f"{key}={_value(value)}" for key, value in fields.items())
    sentence = _CONTROL.sub(" ", words(event.code, language, event.args).sentence)
    start = f"<{_PRIORITIES[event.severity]}>" if prefixed else ""
    return f"{start}{event.code} {shown} | {sentence}"


def _value(value: Scalar) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def is_journal(stream: int, environment: Mapping[str, str]) -> bool:
    """True if the file descriptor ``stream`` goes straight to systemd's journal."""
    device, _, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(stream)
    except OSError:
        return False
    return (device, inode) == (str(status.st_dev), str(status.st_ino))


class JournalSink:
    """Writes every event to the logger ``vigie``."""

    def __init__(self, language: str, *, prefixed: bool = False) -> None:
        self._language = language
        self._prefixed = prefixed
        self._log = logging.getLogger("vigie")

    async def run(self, events: AsyncIterator[Recorded]) -> None:
        """Write until cancelled or ``events`` ends."""
        async for recorded in events:
            text = line(recorded, self._language, prefixed=self._prefixed)
            self._log.log(_LEVELS[recorded.event.severity], "%s", text)
