"""A known history of a site that does not exist, for looking at reports: ``scripts/demo_history FOLDER``.

90 days of a fibre and a modem, written by the agent's own store, with recordings of the last three days and
the digest of all. What happened is in ``story``; nothing is drawn by chance: every sum is known beforehand.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from agent.core.codes import EVENTS, FINDINGS, Code
from agent.core.instant import Now
from agent.core.model import Event, Scalar
from agent.runtime.digest import Echoes, Window
from agent.runtime.store import Store

BEGIN = 1_768_690_800.0
"""18 January 2026, 00:00 in Paris."""
DAYS = 90
DAY = 86_400.0
RECORDED_DAYS = 3
CONFIGURATION = """
[site]
name = "garage-martin"
label = "Garage Martin, Lyon"
opening = ["mon-fri 08:00-18:30", "sat 09:00-12:00"]
[site.facts]
cost_per_hour_eur = 250
[[uplink]]
name = "ftth"
label = "Fibre"
kind = "ftth"
operator = "Orange"
interface = "eth0"
[uplink.facts]
contract = "FTTH-0102030405 / contrat 88 12 34"
hotline = "3901"
repair_h = 4
[[uplink]]
name = "4g"
label = "4G de secours"
kind = "cellular"
operator = "Bouygues"
interface = "wwan0"
[uplink.facts]
contract = "06 12 34 56 78"
hotline = "1064"
[[box]]
name = "livebox"
label = "Livebox"
uplink = "ftth"
relay = "gpio17"
[[modem]]
name = "cle-4g"
label = "Clé 4G"
uplink = "4g"
driver = "hilink"
"""


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage of the story. Seconds after ``BEGIN``, and seconds.

    Attributes:
        at: when its silence begins.
        lasts: until it is believed to be over.
        cause: shown 20 s after its begin; None: it is over before.
        cycle: a restart is ordered so long after its begin; None: none is made.
        helps: the restart ends it.
    """

    uplink: str
    at: int
    lasts: int
    cause: Code | None = None
    cycle: int | None = None
    helps: bool = False


def story() -> tuple[Outage, ...]:
    """Everything that happened, in order."""
    found = []
    for day in range(DAYS):
        noon = day * 86_400 + 12 * 3600
        if day % 9 == 4:
            found.append(Outage("ftth", noon + 61 * day, 14 + day % 3))
        if day % 7 == 2:
            found.append(Outage("ftth", noon - 5 * 3600 + 17 * day, 1500 + 60 * day, Code.BOX_HUNG))
        if day % 10 == 5:
            found.append(Outage("ftth", noon + 3600, 271 + day, Code.BOX_HUNG, 125, helps=True))
        if day % 30 == 21:
            found.append(Outage("ftth", noon - 2 * 3600, 5 * 3600, Code.LINE_OR_OPERATOR, 300))
        if day % 30 == 21:
            found.append(Outage("4g", noon - 3600, 20 * 60 + day, Code.NO_SIGNAL))
        if day % 11 == 6:
            found.append(Outage("4g", noon + 8 * 3600, 45 + day, Code.NO_NETWORK))
    return tuple(sorted(found, key=lambda outage: outage.at))


LABELS = {
    "ftth": "Fibre",
    "4g": "4G de secours",
    "livebox": "Livebox",
    "garage-martin": "Garage Martin, Lyon",
}
BOXES = {"ftth": "livebox"}
STOPPED = (40 * 86_400 + 3 * 3600, 40 * 86_400 + 3 * 3600 + 95)
"""An update: when the agent stops, and starts again."""
KILLED = (62 * 86_400 + 23 * 3600, 62 * 86_400 + 23 * 3600 + 600)
"""When the power fails, hours after the last event, and when it comes back."""
QUARTER = 900
RUNS = ((0, STOPPED[0]), (STOPPED[1], KILLED[0]), (KILLED[1], DAYS * 86_400))
LAST_SIGN = STOPPED[1] + (KILLED[0] - STOPPED[1]) // QUARTER * QUARTER - 1
"""Of the run that was killed, the end of its last whole quarter of an hour."""
WARM = 12
"""Seconds from a start to the first verdict on each uplink."""


def events() -> Iterator[tuple[float, Event]]:
    """What the agent would have written, with seconds after ``BEGIN``, in order."""
    told: list[tuple[float, int, Event]] = []

    def tell(at: float, code: Code, subject: str, incident: str | None = None, **args: Scalar) -> None:
        severity = FINDINGS[code].severity if code in FINDINGS else EVENTS[code]
        full = {"label": LABELS.get(subject, subject), **args}
        told.append((at, len(told), Event(code, subject, severity, incident, full)))

    for start in (0, STOPPED[1], KILLED[1]):
        tell(start, Code.AGENT_STARTED, "garage-martin", armed=True)
        for uplink in ("ftth", "4g"):
            tell(start + WARM, Code.UPLINK_UP, uplink, down_s=0.0)
    tell(STOPPED[0], Code.AGENT_STOPPED, "garage-martin")
    tell(KILLED[0] - 7200, Code.ADDRESS_CHANGED, "4g", old="100.72.3.9", new="100.72.8.1")
    open_until: tuple[int, str] = (0, "")
    for number, outage in enumerate(story(), 1):
        begin, end = outage.at, outage.at + outage.lasts
        ours = begin >= open_until[0]
        incident = (f"demo-{number}" if ours else open_until[1]) if outage.cause is not None else None
        tell(begin + 5, Code.UPLINK_DOWN, outage.uplink, incident, why="silent 5.0 s")
        if outage.cause is not None:
            if ours:
                open_until = end, str(incident)
            lines = _evidence(outage)
            tell(begin + 20, outage.cause, outage.uplink, incident, evidence=lines)
            cause = str(outage.cause)
            if ours:
                args = {"finding": cause, "means": "on_backup"}
                tell(begin + 20, Code.INCIDENT_OPENED, outage.uplink, incident, **args)
        if outage.cycle is not None:
            box, at = BOXES[outage.uplink], begin + outage.cycle
            tell(at, Code.CYCLE_ORDERED, box, incident, finding=str(outage.cause), how="cut")
            tell(at + 1, Code.BOX_CUT, box, incident, off_s=10.0)
            tell(at + 11, Code.BOX_RESTORED, box, incident, boot_s=120.0)
            if not outage.helps:
                tell(at + 300, Code.CYCLE_DID_NOT_HELP, box, incident)
                reason = {"reason": "budget_incident", "for_s": None}
                tell(at + 301, Code.CYCLE_REFUSED, box, incident, **reason)
        tell(end, Code.UPLINK_UP, outage.uplink, incident, down_s=float(outage.lasts))
        if outage.helps:
            took = float(outage.lasts - (outage.cycle or 0))
            tell(end, Code.CYCLE_HELPED, BOXES[outage.uplink], incident, took_s=took)
        if outage.cause is not None:
            args = {"finding": str(outage.cause), "lasted_s": float(outage.lasts)}
            tell(end, Code.FINDING_CLOSED, outage.uplink, incident, **args)
            if ours:
                told_of = {"offline_s": 0.0, "cycles": int(outage.cycle is not None)}
                tell(end + 1, Code.INCIDENT_CLOSED, outage.uplink, incident, **args, **told_of)
    for at, _, event in sorted(told, key=lambda one: one[:2]):
        yield at, event


def _evidence(outage: Outage) -> str:
    other = "4g up" if outage.uplink == "ftth" else "ftth up"
    box = "box: answered a ping 0.4 s ago"
    if outage.cause is Code.BOX_HUNG:
        box = "box: 12 pings unanswered for 19 s"
    lines = [
        f"{outage.uplink}: carrier, address 192.168.1.10, gateway 192.168.1.1",
        box,
        "box itself: asked 9 s ago: line up, internet down",
        "hop 80.10.233.1: silent 6 s ago, 3 times",
        "targets: none of 1.1.1.1, 8.8.8.8, 9.9.9.9 for 20.0 s, 46 echoes",
        f"witnesses: {other}",
    ]
    return "; ".join(lines)


def write(folder: Path) -> None:
    """Write the history into a state folder."""
    now = Now(1000.0, BEGIN, True, "boot-a", 3600.0)
    store = Store.open(folder, now)
    batch: list[tuple[Event, Now]] = []
    for at, event in events():
        boot = "boot-a" if at < KILLED[1] else "boot-b"
        batch.append((event, replace(now, mono=1000.0 + at, wall=BEGIN + at, boot=boot)))
    store.append(batch)
    store.close()


def sample(uplink: str, at: int) -> float | None:
    """The round trip of an echo, milliseconds; None: it brought no answer."""
    if any(outage.at <= at < outage.at + outage.lasts for outage in _near(uplink, at // 86_400)):
        return None
    usual, swing, loses = {"ftth": (9.0, 3.0, 4001), "4g": (42.0, 22.0, 607)}[uplink]
    if (at // 20) % loses == 0:
        return None
    return usual + swing * max(0.0, math.sin((at % DAY - 6 * 3600) / DAY * 2 * math.pi))


@cache
def _near(uplink: str, day: int) -> list[Outage]:
    """The outages of a day, or that reach into it."""
    begin, end = day * 86_400, (day + 1) * 86_400
    return [o for o in story() if o.uplink == uplink and o.at < end and o.at + o.lasts > begin]


def record(folder: Path) -> None:
    """Write recordings of the last days, an echo every 20 seconds on each uplink, and the digest of all.

    Their run began long before, so its first line is no longer kept, as on a real card.
    """
    (folder / "trace").mkdir(parents=True, exist_ok=True)
    first = (DAYS - RECORDED_DAYS) * 86_400
    lines: list[dict[str, object]] = []
    for at in range(first, DAYS * 86_400, 20):
        for name in ("ftth", "4g"):
            line = {"t": 1000.0 + at, "kind": "probe", "uplink": name, "target": "1.1.1.1"}
            rtt_ms = sample(name, at)
            lines.append(line | ({"rtt_ms": rtt_ms} if rtt_ms else {"rtt_ms": None, "why": "timeout"}))
        if at % 300 == 0:
            radio = {"rsrp_dbm": signal_dbm(at), "sinr_db": 9.5}
            lines.append({"t": 1000.0 + at, "kind": "says", "uplink": "4g", "heard": True, "radio": radio})
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    (folder / "trace" / "trace-00000001.jsonl.gz").write_bytes(gzip.compress(text.encode(), 6, mtime=0))
    digest = b"".join(msgspec.json.encode(window) + b"\n" for window in _windows())
    (folder / "trace" / "digest-00000001.jsonl").write_bytes(digest)


def signal_dbm(at: int) -> float:
    """An antenna that is moved by somebody after 50 days."""
    return round(-97.0 - (7.0 if at > 50 * DAY else 0.0) + 1.5 * math.sin(at / 40_000), 1)


def _windows() -> Iterator[Window]:
    for begin, end in RUNS:
        boot = "boot-a" if begin < KILLED[1] else "boot-b"
        for at in range(begin, end - QUARTER + 1, QUARTER):
            uplinks = {name: _echoes(name, at) for name in ("ftth", "4g")}
            yield Window(
                boot,
                f"run-{begin}",
                1000.0 + at,
                1000.0 + at + QUARTER - 1,
                BEGIN + at,
                synced=True,
                uplinks=uplinks,
            )


def _echoes(uplink: str, at: int) -> Echoes:
    rtts = [sample(uplink, at + step) for step in range(10, QUARTER, 180)]
    answers = [rtt_ms for rtt_ms in rtts if rtt_ms is not None]
    echoes = Echoes(len(answers), len(rtts) - len(answers), sum(answers), max(answers, default=0.0))
    if uplink == "4g":
        echoes.levels = {"rsrp_dbm": (1, signal_dbm(at)), "sinr_db": (1, 9.5)}
    return echoes


def main() -> int:
    """Write history, recordings and configuration into a new folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    write(folder)
    record(folder)
    (folder / "vigie.toml").write_text(CONFIGURATION, encoding="utf-8")
    given = f"--config {folder}/vigie.toml --state-dir {folder} --zone Europe/Paris"
    sys.stdout.write(f"vigie report {given} --from 2026-01-18 --to 2026-04-17\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
