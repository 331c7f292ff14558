"""Playing a scenario on the core alone, in virtual time: the deeds at their times, and all that was seen.

The site is that of the bay: each box bears its uplink's name. Deeds at 0 s are done before the agent starts,
all others to a site that it watches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import inf
from typing import Any

from agent.cli.bay_config import (
    AFTER_POWER_S,
    SERVICE_S,
    SPACING_S,
    bay_data_mb,
    box_label,
    modem_label,
)
from agent.cli.expectations import Evidence, Outage, Seen
from agent.config.derived import derived
from agent.config.effective import MEGABYTE
from agent.core.devices import DeviceKind, DeviceSpec
from agent.core.durable import Durable
from agent.core.failover_rules import FailoverRules
from agent.core.model import Event
from agent.core.service_words import ServiceKind, ServiceSpec
from agent.core.site import BoxSpec, PowerRules, Site, UplinkKind, UplinkSpec
from agent.core.snapshot_types import Snapshot
from agent.core.spending import Spending
from agent.simulation.deeds import do
from agent.simulation.lines import Line
from agent.simulation.world import World
from hardware.virtual.scenario import NOBODY, Deed, Player, Scenario, ScenarioService, ScenarioUplink
from hardware.virtual.world import SERVICES

TEXTED = "+33639980000"
"""A number that the French regulator keeps for stories (06 39 98 is for films and books)."""
TARGETS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
MIDNIGHT = 1_768_172_400.0
"""Of Monday 12 January 2026 in France, UNIX seconds."""
ZONE_S = 3600.0
RUNNING_S = 86_400.0
"""How long the machine had been running when the story begins: the bay's power is not just back."""
LOOK_EVERY_S = 10.0
"""A snapshot is kept at each change, and this often while nothing changes."""
DARK_SHARE = 0.15
"""Share of a box's boot without a carrier, as in the bay."""


def site_of(scenario: Scenario) -> Site:
    """The scenario's site as the core wants it."""
    power = scenario.power
    given: dict[str, Any] = {
        "per_incident": power.per_incident,
        "per_day": power.per_day,
        "spacing_s": power.spacing_s,
        "after_power_s": power.after_power_s,
    }
    if scenario.plays is Player.BAY:
        given |= {"spacing_s": SPACING_S, "after_power_s": AFTER_POWER_S}
    rules = PowerRules(
        armed=power.armed,
        maintenance=power.maintenance,
        **{key: value for key, value in given.items() if value is not None},
    )
    return Site(
        name="demo",
        label="Garage Demo",
        uplinks=tuple(
            _uplink(uplink, scenario, first=not place) for place, uplink in enumerate(scenario.uplinks)
        ),
        boxes=tuple(box for uplink in scenario.uplinks for box in _boxes(uplink)),
        power=rules,
        services=tuple(_service(one, scenario.plays) for one in scenario.services),
        failover=_failover(scenario),
    )


def _service(service: ScenarioService, plays: Player) -> ServiceSpec:
    office = SERVICES[service.name]
    every = {"every_s": SERVICE_S} if plays is Player.BAY else {}
    place = f"{office.host}:{office.port}"
    return ServiceSpec(service.name, service.label, ServiceKind(office.kind), place, **every)


def _failover(scenario: Scenario) -> FailoverRules:
    """The site path is watched where the story has a router."""
    router = scenario.router
    if router is None:
        return FailoverRules()
    return FailoverRules(path_targets=TARGETS, expect_s=router.expect_s, by_hand=router.by_hand)


def _uplink(uplink: ScenarioUplink, scenario: Scenario, *, first: bool) -> UplinkSpec:
    usual = derived("uplink", {"name": uplink.name, "kind": uplink.kind}, "demo", first=first).get("data_mb")
    data_mb = usual if uplink.data_mb is None else uplink.data_mb
    if scenario.plays is Player.BAY:
        data_mb = bay_data_mb(scenario, uplink)
    return UplinkSpec(
        uplink.name,
        uplink.label,
        UplinkKind(uplink.kind),
        TARGETS,
        uplink.interval_s,
        operator=uplink.operator,
        device=_device(uplink),
        data_bytes=None if data_mb is None else data_mb * MEGABYTE,
    )


def _device(uplink: ScenarioUplink) -> DeviceSpec | None:
    """As the configuration of the bay would have it."""
    if uplink.speaks is None:
        return None
    if uplink.modem is not None:
        limit_bytes = None if uplink.data_gb is None else round(uplink.data_gb * 1e9)
        label = modem_label(uplink)
        sms_to = (TEXTED,) if uplink.texts else ()
        return DeviceSpec(uplink.modem, label, DeviceKind.MODEM, limit_bytes, uplink.bands, sms_to=sms_to)
    kind = DeviceKind.DISH if uplink.speaks == "starlink" else DeviceKind.BOX
    return DeviceSpec(uplink.name, box_label(uplink), kind)


def _boxes(uplink: ScenarioUplink) -> Iterator[BoxSpec]:
    """The box, and before it the terminal, if there is one: it is configured as the box is."""
    box = BoxSpec(
        name=uplink.name,
        label=modem_label(uplink) if uplink.modem == uplink.name else box_label(uplink),
        uplink=uplink.name,
        wired=uplink.wired,
        confirm_s=uplink.confirm_s,
        off_s=uplink.off_s,
        boot_s=uplink.boot_s,
        soft=uplink.soft,
    )
    if uplink.terminal is not None:
        label = f"Terminal {uplink.label}"
        yield replace(box, name=uplink.terminal, label=label, wired=True, soft=False, direct=False)
    yield box


def _line(uplink: ScenarioUplink, *, of_bay: bool) -> Line:
    line = Line(
        boots_in_s=uplink.boots_in_s,
        speaks=uplink.speaks,
        hop=uplink.first_hop or of_bay,  # the bay's operators all answer for themselves
        loss=1.0 - (1.0 - uplink.loss) ** 2,
        rtt_s=2.0 * uplink.delay_ms / 1000.0,
    )
    if uplink.modem is not None:
        line.sim, line.registration, line.signal = "ready", "home", "good"
        line.network, line.month_gb = uplink.operator, 3.2
    return line


class CoreStory:
    """One play of a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._begin = RUNNING_S
        self._pictures: list[tuple[float, Snapshot]] = []
        self._done: list[tuple[float, Deed]] = []
        self._first: set[str] = set()
        self.world = World(
            site_of(scenario),
            start_at=self._begin,
            seed=scenario.seed,
            wall=MIDNIGHT + scenario.starts_s,
            zone_s=ZONE_S,
            lines={
                uplink.name: _line(uplink, of_bay=scenario.plays is Player.BAY) for uplink in scenario.uplinks
            },
            show=self._keep,
            durable=Durable(
                spendings={
                    uplink.name: Spending(calm_bytes=round(uplink.data_used_mb * MEGABYTE))
                    for uplink in scenario.uplinks
                }
            ),
            started=False,
            record=False,
        )
        self.world.boxes.dark_share = DARK_SHARE
        for uplink in scenario.uplinks:
            if uplink.relay_cuts is not None:
                cuts = [] if uplink.relay_cuts == NOBODY else [uplink.relay_cuts]
                self.world.boxes.wiring[uplink.name] = cuts
        if scenario.router is not None:
            behaves = scenario.router
            self.world.router.switches_after_s = behaves.switches_after_s or inf
            self.world.router.returns_after_s = behaves.returns_after_s or inf
        self.world.on_event = self._follow_up

    def play(self) -> Evidence:
        """Play it to its end."""
        world, scenario = self.world, self.scenario
        timed = [deed for deed in scenario.deeds if deed.after_event is None]
        for deed in timed:
            if deed.at_s <= 0.0:
                self._do(deed)
        world.start()
        for deed in timed:
            if deed.at_s > 0.0:
                world.at(self._begin + deed.at_s, self._do, deed)
        world.at(self._begin + LOOK_EVERY_S, self._look_again)
        world.play(scenario.duration_s)
        return self._evidence()

    def _t(self, at: float) -> float:
        return round(at - self._begin, 6)

    def _do(self, deed: Deed) -> None:
        self._done.append((self._t(self.world.t), deed))
        do(self.world, deed.what, deed.on, deed.args)
        self._look()

    def _follow_up(self, event: Event) -> None:
        """Do what is to come after the first such event."""
        if event.code in self._first:
            return
        self._first.add(event.code)
        for deed in self.scenario.deeds:
            if deed.after_event == event.code:
                self.world.at(self.world.t + deed.at_s, self._do, deed)

    def _keep(self, at: float, shot: Snapshot) -> None:
        self._pictures.append((self._t(at), shot))

    def _look(self) -> None:
        if self.world.alive:
            self._keep(self.world.t, self.world.picture())

    def _look_again(self) -> None:
        self._look()
        self.world.at(self.world.t + LOOK_EVERY_S, self._look_again)

    def _evidence(self) -> Evidence:
        world = self.world
        end_s = self._t(world.t)
        outages = [
            Outage(one.box, self._t(one.begin), end_s if one.end is None else self._t(one.end))
            for one in world.boxes.outages
        ]
        scenario_boxes = [box for uplink in self.scenario.uplinks for box in uplink.boxes]
        named: Mapping[str, float] = {deed.name: t for t, deed in self._done if deed.name is not None}
        return Evidence(
            end_s=end_s,
            events=tuple(
                Seen(self._t(at), event.code, event.subject, event.args, event.alert)
                for at, event in world.events
            ),
            pictures=tuple(self._pictures),
            deeds=named,
            cuts={name: sum(one.box == name for one in outages) for name in scenario_boxes},
            powered={name: world.boxes.has_power(name) for name in scenario_boxes},
            outages=tuple(outages),
            done=tuple(self._done),
        )


def play(scenario: Scenario) -> Evidence:
    """Play a scenario, whoever it is meant for, on the core."""
    return CoreStory(scenario).play()
