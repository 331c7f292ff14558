"""Text messages from the core's order to a virtual modem: written first, in the modem's thread, told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.sax.saxutils import unescape

import pytest
from modem_ground import RIGS, Rig

from agent.core.instant import Stamp
from agent.core.letters import Fate, Letter, SendText, TextCode, Texting, TextReport
from agent.core.model import Observation, Part
from agent.core.saves import SaveTexting
from agent.probes.devices import DeviceWatcher
from agent.runtime.actuator import Actuator
from agent.runtime.notes import TEXTS, Notes
from agent.texts import sender
from hardware.sms import submit_pdu, text_message

NUMBER = "+33612345678"
AT = Stamp(1.0, 2.0, True, "b")
LETTER = Letter("run-1", NUMBER, TextCode.NO_INTERNET, "run-0", AT, AT, "stick")
ARGS = {"label": "Garage Forêt", "since": "09:14", "for_s": None, "cycles": 1}
ORDER = SendText("stick", "run-1", NUMBER, TextCode.NO_INTERNET, ARGS, Texting((LETTER,)))
WORDS = (
    "Vigie Garage Foret: plus aucun accès à internet depuis 09:14, tous opérateurs. "
    "Redémarrages tentés: 1. Vigie réessaie."
)
KINDS = ("hilink", "hilink, with password", "quectel", "sierra", "generic")


def carried_out(
    folder: Path, rig: Rig, *orders: SendText | SaveTexting, spoil: Callable[[Notes], None] | None = None
) -> list[Observation]:
    """What the core hears after these orders to a modem on the virtual device."""
    posted: list[Observation] = []

    async def body() -> None:
        notes = Notes(folder, {})
        if spoil is not None:
            spoil(notes)
        watcher = DeviceWatcher("4g", rig.modem, posted.append)
        disk = ThreadPoolExecutor(max_workers=1)
        actuator = Actuator(
            {},
            None,  # type: ignore[arg-type]  # no cycle is remembered here
            disk,
            lambda _uplink, _interval_s: None,
            lambda _uplink: None,
            posted.append,
            notes=notes,
            send_text=sender({"stick": rig.modem}, {"stick": watcher}, "fr"),
        )
        for order in orders:
            actuator.carry_out(order)
        while actuator._tasks:
            await asyncio.gather(*actuator._tasks)
        await actuator.close()
        await watcher.close()
        disk.shutdown()

    asyncio.run(body())
    return posted


def taken(rig: Rig) -> list[str]:
    """The messages as the virtual modem took them: HiLink's words, or the digits of PDU mode."""
    if hasattr(rig.device, "api"):  # type: ignore[attr-defined]
        return [unescape(text[1]) for text in rig.device.api.texts]  # type: ignore[attr-defined]
    return [data for _, data in rig.device.texts]  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_is_written_down_and_sent_in_the_words_of_the_site(kind: str, tmp_path: Path) -> None:
    """Through either kind of modem, in the language of the site, in letters of the GSM alphabet."""
    rig = RIGS[kind]()
    assert carried_out(tmp_path, rig, ORDER) == [Part("texts", ok=True), TextReport("run-1", Fate.SENT)]
    assert taken(rig) in ([WORDS], [submit_pdu(text_message(NUMBER, WORDS))[0]])
    assert Notes(tmp_path, {}).texting == ORDER.memory
    rig.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_that_is_not_confirmed_is_reported_as_unknown(kind: str, tmp_path: Path) -> None:
    """And one that the modem refuses as refused, so that only that one is tried again."""
    rig = RIGS[kind]()
    rig.leave_unconfirmed()
    *_, report = carried_out(tmp_path, rig, ORDER)
    assert isinstance(report, TextReport)
    assert (report.order, report.fate) == ("run-1", Fate.UNKNOWN)
    rig.close()
    rig = RIGS[kind]()
    rig.fail("refuses")
    *_, report = carried_out(tmp_path, rig, ORDER)
    assert isinstance(report, TextReport)
    assert (report.order, report.fate) == ("run-1", Fate.REFUSED)
    rig.close()


def test_a_modem_that_is_away_refuses(tmp_path: Path) -> None:
    """Nothing was sent, surely."""
    rig = RIGS["quectel"]()
    rig.unplug()
    *_, report = carried_out(tmp_path, rig, ORDER)
    assert isinstance(report, TextReport)
    assert report.fate is Fate.REFUSED
    assert "does not exist" in report.detail
    rig.close()


def test_a_modem_that_is_not_configured_any_more_refuses(tmp_path: Path) -> None:
    """An order always ends in a report."""
    rig = RIGS["quectel"]()
    order = SendText("other", "run-1", NUMBER, TextCode.BACK, {}, Texting())
    *_, report = carried_out(tmp_path, rig, order)
    assert report == TextReport("run-1", Fate.REFUSED, "there is no modem 'other'")
    rig.close()


def test_what_cannot_be_noted_is_not_sent(tmp_path: Path) -> None:
    """After a restart nobody would know of it, and it would be sent again and again."""
    rig = RIGS["quectel"]()
    posted = carried_out(tmp_path, rig, ORDER, spoil=lambda _notes: (tmp_path / f"{TEXTS}.new").mkdir())
    assert [type(one) for one in posted] == [Part, TextReport]
    assert posted[0].name == "texts"  # type: ignore[union-attr]
    assert not posted[0].ok  # type: ignore[union-attr]
    assert posted[1] == TextReport("run-1", Fate.REFUSED, "it cannot be noted that it was sent")
    assert rig.texts == 0
    rig.close()


def test_neither_log_nor_report_holds_the_number(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a driver says of it."""
    rig = RIGS["quectel"]()
    bad = "+336123456789012345"
    order = SendText("stick", "run-1", bad, TextCode.BACK, {"label": "Garage"}, Texting())
    with caplog.at_level(logging.DEBUG):
        *_, report = carried_out(tmp_path, rig, order)
    assert isinstance(report, TextReport)
    assert report.fate is Fate.REFUSED
    assert "is not a telephone number" in report.detail
    assert bad not in report.detail + caplog.text
    assert "345" in caplog.text
    rig.close()


def test_the_memory_is_noted_by_itself(tmp_path: Path) -> None:
    """What became of a message is written although nothing is sent."""
    rig = RIGS["quectel"]()
    memory = Texting((LETTER,), AT)
    assert carried_out(tmp_path, rig, SaveTexting(memory)) == [Part("texts", ok=True)]
    assert Notes(tmp_path, {}).texting == memory
    rig.close()
