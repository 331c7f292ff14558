"""Small things that must survive, each alone in a file of the state folder.

They are the proofs of relays, the hold, signals, text messages, public addresses, what has been used of data
budgets, and the conditions that were told as alerts. A file that is damaged says nothing rather than
something wrong: a relay then counts as not proven, there is no hold, of the text messages of a day most count
as sent, and a data budget counts as half used; what was lost is said. A proof holds for the wiring that was
proven: a relay on another pin, or an uplink on another interface, must be proven anew. Everything is
synchronous and meant for one worker thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from agent.core.alerts import Told
from agent.core.codes import Code
from agent.core.durable import Durable
from agent.core.instant import Stamp
from agent.core.letters import Fate, Letter, TextCode, Texting
from agent.core.model import Part
from agent.core.outside import Outer
from agent.core.people import OpenHold
from agent.core.radio import KEPT_DAYS, Air, Day
from agent.core.spending import Spending
from agent.runtime.store_codec import TroubleError, decode_stamp, sealed, told_apart, unsealed, write_text

PROOFS = "proofs.json"
HOLD = "hold.json"
SIGNALS = "signals.json"
TEXTS = "texts.json"
SPENDING = "spending.json"
ADDRESSES = "public.json"
ALERTS = "alerts.json"

_log = logging.getLogger("vigie.notes")
T = TypeVar("T")


class Notes:
    """What earlier runs have noted, and what is to be noted."""

    def __init__(
        self, folder: Path, wiring: Mapping[str, str], limits: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        """Read what is there; never raises for what it finds.

        Args:
            folder: the state folder.
            wiring: by box, what its proof holds for (see ``config.effective.wiring``).
            limits: by uplink, the bytes of its data budget.
        """
        self._folder = folder
        self._wiring = wiring
        self.faults: list[Part] = []
        """What could not be read, as parts that do not work; empty if all is well."""
        proofs: dict[str, Proof] = self._recall(PROOFS, partial(decode_proofs, wiring=wiring), {})
        self.proven = {box: proof.at for box, proof in proofs.items()}
        self.behind_switch = frozenset(box for box, proof in proofs.items() if proof.by_silence)
        self.hold: OpenHold | None = self._recall(HOLD, decode_hold, None)
        self.airs: dict[str, Air] = self._recall(SIGNALS, decode_airs, {})
        self.texting: Texting | None = self._recall(TEXTS, decode_texting, None)
        half = {uplink: Spending(None, calm_bytes=limit // 2) for uplink, limit in limits.items()}
        known = self._recall(SPENDING, decode_spendings, half, {})
        self.outers: dict[str, Outer] = self._recall(ADDRESSES, decode_outers, {})
        self.spendings = {uplink: spending for uplink, spending in known.items() if uplink in limits}
        self.told: tuple[Told, ...] = self._recall(ALERTS, decode_told, ())

    def added_to(self, durable: Durable) -> Durable:
        """What was remembered elsewhere, and what is noted here."""
        return replace(
            durable,
            proven=self.proven,
            behind_switch=self.behind_switch,
            hold=self.hold,
            airs=self.airs,
            texting=self.texting,
            spendings=self.spendings,
            outers=self.outers,
            told=self.told,
        )

    def save_proof(self, box: str, at: Stamp | None, by_silence: bool = False) -> None:
        """Remember when a relay was proven, or that it is not any more; on the disk when this returns.

        Raises:
            OSError: it could not be written; what was there before still is.
        """
        proven = {name: stamp for name, stamp in self.proven.items() if name != box}
        if at is not None:
            proven[box] = at
        behind = self.behind_switch - {box} | ({box} if at is not None and by_silence else set())
        content = {
            name: {"at": asdict(at), "wiring": self._wiring[name], "by_silence": name in behind}
            for name, at in proven.items()
        }
        self._write(PROOFS, content)
        self.proven, self.behind_switch = proven, behind

    def save_hold(self, hold: OpenHold | None) -> None:
        """Remember the hold, or that there is none; on the disk when this returns.

        Raises:
            OSError: it could not be written; what was there before still is.
        """
        self._write(HOLD, None if hold is None else asdict(hold))
        self.hold = hold

    def save_air(self, uplink: str, air: Air) -> None:
        """Remember how the signal of this uplink's modem was in the last days; on the disk when this returns.

        Raises:
            OSError: it could not be written; what was there before still is.
        """
        airs = {**self.airs, uplink: air}
        days = {name: [asdict(day) for day in known.days] for name, known in airs.items()}
        self._write(SIGNALS, days)
        self.airs = airs

    def save_texting(self, memory: Texting) -> None:
        """Remember which text messages were sent; on the disk when this returns.

        Raises:
            OSError: it could not be written; what was there before still is.
        """
        self._write(TEXTS, asdict(memory))
        self.texting = memory

    def save_spending(self, uplink: str, spending: Spending) -> None:
        """Remember what this uplink has used; on the disk when this returns.

        Raises:
            OSError: it could not be written; what was there before still is.
        """
        spendings = {**self.spendings, uplink: spending}
        self._write(SPENDING, {name: asdict(one) for name, one in spendings.items()})
        self.spendings = spendings

    def save_outer(self, uplink: str, outer: Outer) -> None:
        """Remember how this uplink looks from outside; on the disk when this returns.

        Raises:
            OSError: it could not be written; what was there before still is.
        """
        outers = {**self.outers, uplink: outer}
        self._write(ADDRESSES, {name: asdict(one) for name, one in outers.items()})
        self.outers = outers

    def save_told(self, told: tuple[Told, ...]) -> None:
        """Remember which conditions were told as alerts; on the disk when this returns.

        Raises:
            OSError: it could not be written; what was there before still is.
        """
        self._write(ALERTS, [asdict(one) for one in told])
        self.told = told

    def _recall(self, name: str, decode: Callable[[Any], T], nothing: T, none_yet: T | None = None) -> T:
        """What the file holds, ``none_yet`` if there is none, ``nothing`` if it cannot be understood."""
        try:
            content = read_note(self._folder, name)
            if content is None:
                return nothing if none_yet is None else none_yet
            return decode(content)
        except TroubleError as trouble:
            _log.warning("%s cannot be read and says nothing: %s", name, trouble)
            self.faults.append(Part(name.removesuffix(".json"), ok=False, detail=f"{name}: {trouble}"))
            return nothing

    def _write(self, name: str, content: object) -> None:
        try:
            write_text(self._folder, name, sealed("content", content))
        except TroubleError as trouble:
            raise OSError(f"{name}: {trouble}") from trouble


def read_note(folder: Path, name: str) -> Any:
    """The content of one file; None if it does not exist or says that there is nothing.

    Raises:
        DamagedError: it cannot be understood.
        OutOfReachError: it cannot be read.
    """
    with told_apart():
        try:
            text = (folder / name).read_bytes()
        except FileNotFoundError:
            return None
        return unsealed("content", text)


class Proof(NamedTuple):
    """When a relay was last proven, and whether its box kept a carrier meanwhile (that of a switch)."""

    at: Stamp
    by_silence: bool


def decode_proofs(content: Mapping[str, Any], wiring: Mapping[str, str]) -> dict[str, Proof]:
    """By box, each proof that holds for this wiring; raises ``DamagedError``."""
    with told_apart():
        proofs = {
            str(box): (Proof(decode_stamp(proof["at"]), proof.get("by_silence") is True), proof["wiring"])
            for box, proof in content.items()
        }
    return {box: proof for box, (proof, proven) in proofs.items() if wiring.get(box) == proven}


def decode_hold(content: Mapping[str, Any]) -> OpenHold:
    """The hold; raises ``DamagedError``."""
    with told_apart():
        return OpenHold(decode_stamp(content["since"]), float(content["for_s"]), str(content["by"]))


def decode_airs(content: Mapping[str, Any]) -> dict[str, Air]:
    """By uplink, the signal of the last days; raises ``DamagedError``."""
    with told_apart():
        return {
            str(uplink): Air(
                days=tuple(
                    Day(int(day["number"]), float(day["rsrp_dbm"]), int(day["readings"]))
                    for day in days[-KEPT_DAYS:]
                )
            )
            for uplink, days in content.items()
        }


def decode_texting(content: Mapping[str, Any]) -> Texting:
    """Which text messages were sent; raises ``DamagedError``."""
    with told_apart():
        lost = content["lost"]
        letters = tuple(_letter(letter) for letter in content["letters"])
        return Texting(letters, None if lost is None else decode_stamp(lost))


def _letter(body: Mapping[str, Any]) -> Letter:
    return Letter(
        order=str(body["order"]),
        number=str(body["number"]),
        code=TextCode(body["code"]),
        incident=str(body["incident"]),
        since=decode_stamp(body["since"]),
        at=decode_stamp(body["at"]),
        modem=str(body["modem"]),
        fate=Fate(body["fate"]),
        tries=int(body["tries"]),
        over=bool(body["over"]),
    )


def decode_outers(content: Mapping[str, Any]) -> dict[str, Outer]:
    """How each uplink was last seen from outside; raises ``DamagedError``."""
    with told_apart():
        return {str(uplink): _outer(one) for uplink, one in content.items()}


def _outer(body: Mapping[str, Any]) -> Outer:
    address, shared = body["address"], body["shared"]
    if not (address is None or isinstance(address, str)) or not (shared is None or isinstance(shared, bool)):
        raise ValueError("neither an address nor a yes or no")
    return Outer(address, shared)


def decode_told(content: list[Mapping[str, Any]]) -> tuple[Told, ...]:
    """The conditions that were told as alerts; raises ``DamagedError``."""
    with told_apart():
        return tuple(
            Told(
                code=Code(one["code"]),
                subject=str(one["subject"]),
                since=decode_stamp(one["since"]),
                last=decode_stamp(one["last"]),
                reminders=int(one["reminders"]),
                over=one["over"] is True,
            )
            for one in content
        )


def decode_spendings(content: Mapping[str, Any]) -> dict[str, Spending]:
    """What each uplink has used; raises ``DamagedError``."""
    with told_apart():
        return {str(uplink): _spending(one) for uplink, one in content.items()}


def _spending(body: Mapping[str, Any]) -> Spending:
    month, calm, trouble = body["month"], int(body["calm_bytes"]), int(body["trouble_bytes"])
    if min(calm, trouble) < 0:
        raise ValueError("bytes are not negative")
    return Spending(None if month is None else str(month), calm, trouble)
