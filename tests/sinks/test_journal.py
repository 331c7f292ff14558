"""Events as log lines."""

from __future__ import annotations

import asyncio
import logging
import os

import pytest

from agent.core.codes import Code, Severity
from agent.core.model import Event, Recorded
from agent.sinks.journal import JournalSink, is_journal, line
from agent.text import words


def recorded(
    code: Code = Code.UPLINK_DOWN, severity: Severity = Severity.WARNING, **args: object
) -> Recorded:
    return Recorded("abc-12", 12, Event(code, "ftth", severity, "i1", {"label": "Fibre", **args}), 0.0, True)


def test_line_begins_with_the_code_and_ends_with_the_sentence():
    """Code, subject, fields in order, then the words."""
    found = line(recorded(silent_s=12.0, why="no answer"), "fr")
    fields, _, sentence = found.partition(" | ")
    assert (
        fields == 'uplink_down subject=ftth severity=warning incident=i1 seq=12 silent_s=12 why="no answer"'
    )
    assert (
        sentence
        == words(Code.UPLINK_DOWN, "fr", {"label": "Fibre", "silent_s": 12.0, "why": "no answer"}).sentence
    )


def test_event_is_one_line_whatever_it_holds():
    """Line breaks, quotes and control characters stay inside their field."""
    found = line(recorded(why='a\nb="c"\x1b[31m', detail=None, finding=""), "en")
    assert len(found.splitlines()) == 1
    assert "\x1b" not in found
    assert 'why="a\\nb=\\"c\\"\\u001b[31m" detail=- finding=""' in found


@pytest.mark.parametrize(
    ("severity", "start"),
    [(Severity.DEBUG, "<7>"), (Severity.INFO, "<6>"), (Severity.WARNING, "<4>"), (Severity.ALERT, "<3>")],
)
def test_priority_for_the_journal(severity, start):
    """Systemd reads the severity at the start of the line."""
    assert line(recorded(severity=severity), "en", prefixed=True).startswith(f"{start}uplink_down ")
    assert line(recorded(severity=severity), "en").startswith("uplink_down ")


def test_journal_stream_is_recognised():
    """Only the very stream that systemd names is the journal."""
    read, write = os.pipe()
    try:
        status = os.fstat(write)
        assert is_journal(write, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        assert not is_journal(write, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + 1}"})
        assert not is_journal(write, {})
    finally:
        os.close(read)
        os.close(write)
    assert not is_journal(write, {"JOURNAL_STREAM": "1:2"})


def test_sink_writes_every_event_with_its_level(caplog):
    """One record per event on the logger ``vigie``; an alert is an error."""

    async def events():
        yield recorded()
        yield recorded(Code.BOX_HUNG, Severity.ALERT)
        yield recorded(why="100 %d")

    with caplog.at_level(logging.DEBUG, "vigie"):
        asyncio.run(JournalSink("fr").run(events()))
    assert [(r.name, r.levelname, r.getMessage().split()[0]) for r in caplog.records] == [
        ("vigie", "WARNING", "uplink_down"),
        ("vigie", "ERROR", "box_hung"),
        ("vigie", "WARNING", "uplink_down"),
    ]
