"""Sites for the tests of the audit: a configuration, and everything else as it is where all is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from agent.audit.points import DAY_S, Ground, History
from agent.config.schema import Config
from agent.core.codes import Code, Severity
from agent.core.devices import DeviceKind, Radio, Says, Strength
from agent.core.site import UplinkKind
from agent.core.snapshot_types import DeviceView, FindingView, Health, Snapshot, UplinkView

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()


def shot_of(config: Config) -> Snapshot:
    """Every uplink works, the clock is right, every modem hears well."""
    uplinks = tuple(
        UplinkView(
            one.name, one.label, UplinkKind(one.kind), Health.UP, 0.0, "", place == 0, True, True, None,
            None, 9.0, 0.0, 0.0, (),
        )
        for place, one in enumerate(config.uplink)
    )  # fmt: skip
    devices = tuple(
        DeviceView(
            modem.name, modem.label, modem.uplink, DeviceKind.MODEM, 1.0, True, 1.0,
            Says(modem.uplink, heard=True, radio=Radio(network="4G", rsrp_dbm=-85.0)), Strength.GOOD,
        )
        for modem in config.modem
    )  # fmt: skip
    return Snapshot(
        1, 1000.0, NOW, True, config.site.name, config.site.label, True, None, None, None, None,
        Code.ALL_WELL, uplinks, (), (), devices,
    )  # fmt: skip


def well(config: Config) -> Ground:
    """All that is no fact is as it should be."""
    lately = NOW - 10 * DAY_S
    return Ground(
        config=config,
        now=NOW,
        installed="1.0",
        shot=shot_of(config),
        running="1.0",
        released_days=20.0,
        history=History(True, {one.name: lately for one in config.uplink}, lately),
        proven={box.name: lately for box in config.box},
        airs={},
        hops={one.name: (f"10.0.0.{place}",) for place, one in enumerate(config.uplink)},
        path_watched=True,
    )


def live(ground: Ground, told: str) -> Ground:
    """The site after something that is no fact has changed; see the files in ``audit/sites``."""
    verb, *words = told.split()
    assert ground.shot is not None
    assert ground.history is not None
    shot, history = ground.shot, ground.history
    match verb, words:
        case "nothing", []:
            return Ground(ground.config, NOW, "1.0")
        case "no-clock", []:
            return replace(
                ground, shot=replace(shot, synced=False), history=replace(history, clock_known=False)
            )
        case "old", [days]:
            return replace(ground, released_days=float(days))
        case "running", [version]:
            return replace(ground, running=version)
        case "unproven", [box]:
            return replace(ground, proven={k: at for k, at in (ground.proven or {}).items() if k != box})
        case "proven", [box, days]:
            return replace(ground, proven={**(ground.proven or {}), box: NOW - float(days) * DAY_S})
        case "missing", [days]:
            return replace(ground, history=replace(history, missing_at=NOW - float(days) * DAY_S))
        case "carried", [uplink, days]:
            at = NOW - float(days) * DAY_S
            carried = {**history.carried, uplink: at}
            return replace(ground, history=replace(history, carried=carried, switched_at=at))
        case "uncarried", [uplink]:
            carried = {k: at for k, at in history.carried.items() if k != uplink}
            return replace(ground, history=replace(history, carried=carried))
        case "down", [uplink]:
            uplinks = [replace(u, health=Health.DOWN) if u.name == uplink else u for u in shot.uplinks]
            return replace(ground, shot=replace(shot, uplinks=tuple(uplinks)))
        case "signal", [uplink, word]:
            devices = [replace(d, strength=Strength(word)) if d.uplink == uplink else d for d in shot.devices]
            return replace(ground, shot=replace(shot, devices=tuple(devices)))
        case "shared", [uplink]:
            kept = [d for d in shot.devices if d.uplink != uplink]
            says = Says(uplink, heard=True, shared=True, radio=Radio(rsrp_dbm=-85.0))
            found = DeviceView("x", "x", uplink, DeviceKind.BOX, 1.0, True, 1.0, says, Strength.GOOD)
            return replace(ground, shot=replace(shot, devices=(*kept, found)))
        case "warns", [uplink, code]:
            finding = FindingView(Code(code), uplink, uplink, Severity.WARNING, 0.0, {"rx_dbm": -28.5})
            return replace(ground, shot=replace(shot, findings=(finding,)))
    raise AssertionError(told)
