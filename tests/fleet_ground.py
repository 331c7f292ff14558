"""Sites for the tests of the fleet: the product's own messages, and a clock that is moved by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.core.codes import FINDINGS, Code
from agent.core.site import UplinkKind
from agent.core.snapshot_types import BoxView, FindingView, Health, Phase, Snapshot, UplinkView
from agent.fleet.fleet import Fleet
from agent.fleet.judging import Site
from agent.fleet.record import Moment
from agent.sinks.payloads import state_payload, to_json

WALL = 1_800_000_000.0
MONO = 50_000.0

FIBRE = UplinkView(
    "ftth", "Fibre", UplinkKind.FTTH, Health.UP, 90.0, "", True, True, True, None, None, 8.0, 0.0, 0.0, ()
)
CELLULAR = replace(FIBRE, name="4g", label="4G", kind=UplinkKind.CELLULAR, preferred=False)
BOX = BoxView("box-ftth", "Box Fibre", "ftth", True, Phase.POWERED, 90.0, None, 0, None, None)
WELL = Snapshot(
    1, 1000.0, WALL, True, "garage", "Garage", True, None, None, None, None, Code.ALL_WELL,
    (FIBRE, CELLULAR), (BOX,), (),
)  # fmt: skip


def finding(code: Code = Code.BOX_HUNG, since: float = 940.0, **args: str | float) -> FindingView:
    return FindingView(code, "ftth", "Fibre", FINDINGS[code].severity, since, args)


ILL = replace(
    WELL,
    headline=Code.BOX_HUNG,
    incident="run-1",
    incident_since=940.0,
    findings=(finding(),),
    uplinks=(replace(FIBRE, health=Health.DOWN, preferred=False), replace(CELLULAR, preferred=True)),
)


def state(shot: Snapshot = WELL, age_s: float = 0.0, **changed: Any) -> bytes:
    """The message that the agent sends, ``age_s`` before the story's beginning, with keys changed.

    As of an earlier version, which did not tell its own: that takes a column.
    """
    payload = state_payload(replace(shot, wall=shot.wall - age_s))
    del payload["version"]
    return to_json({**payload, **changed})


def without(key: str) -> bytes:
    payload = dict(state_payload(WELL))
    del payload[key]
    return to_json(payload)


class Ear:
    """A fleet, and messages that reach it at moments of a story."""

    def __init__(self, **options: Any) -> None:
        self.fleet = Fleet(**options)
        self.fleet.joined()
        self.at_s = 0.0

    @property
    def now(self) -> Moment:
        return Moment(MONO + self.at_s, WALL + self.at_s)

    def hear(self, topic: str, payload: bytes | str, *, kept: bool = False) -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        self.fleet.take(topic, data, self.now, kept=kept)

    def kept(self, said: bytes | str, availability: str = "online", site: str = "garage") -> Ear:
        """What the broker had kept of a site; everything has come."""
        self.hear(f"vigie/{site}/availability", availability, kept=True)
        self.hear(f"vigie/{site}/state", said, kept=True)
        self.fleet.settle()
        return self

    def live(self, said: bytes | str, site: str = "garage") -> Ear:
        self.hear(f"vigie/{site}/state", said)
        return self

    def after(self, seconds: float) -> Ear:
        self.at_s += seconds
        return self

    def sites(self) -> list[Site]:
        return self.fleet.sites(self.now)

    def one(self, site: str = "garage") -> Site:
        return next(found for found in self.sites() if found.place.slug == site)


def loads(line: bytes | str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(line)
    return found
