"""One way to the internet: how it is, its box, what its device says, and its last hours."""

from __future__ import annotations

from datetime import tzinfo
from math import isfinite

from agent.core.devices import Strength
from agent.core.snapshot_types import BoxView, DeviceView, Health, Phase, Snapshot, UplinkView
from agent.sinks import lights
from agent.sinks.web.markup import Html, joined, tag
from agent.sinks.web.minutes import is_linked
from agent.sinks.web.said import since, symbol
from agent.text import duration, page, panel, strength
from hardware.ports import Pattern

LEVELS: dict[Pattern, str] = {
    lights.WORKS: "good",
    lights.DOUBTFUL: "warn",
    lights.DOWN: "bad",
    lights.RESTARTING: "busy",
    lights.UNKNOWN: "idle",
}
BARS = {
    Strength.EXCELLENT: 5,
    Strength.GOOD: 4,
    Strength.FAIR: 3,
    Strength.POOR: 2,
    Strength.UNUSABLE: 1,
}
WEAKER_DB = 3.0
"""Half the power; less is weather."""
GIGA = 1e9


def uplink_row(
    snapshot: Snapshot, uplink: UplinkView, last_hours: Html, language: str, zone: tzinfo | None
) -> Html:
    """Everything about one uplink."""
    how = LEVELS[lights.render(snapshot)[uplink.name]]
    mark = "active" if uplink.active else "preferred" if uplink.preferred else None
    preferred = Html() if mark is None else tag("span", "★ ", page(mark, language), class_="mark")
    title = tag(
        "h3", symbol(how), tag("span", uplink.label), tag("b", _state(uplink, how, language)), preferred
    )
    told = [tag("p", since(snapshot, uplink.since, language, zone), class_="since")]
    if not is_linked(uplink):
        told.append(tag("p", tag("b", page("unplugged", language))))
    told.append(_figures(uplink, language))
    told += [_device(view, snapshot, language) for view in snapshot.devices if view.uplink == uplink.name]
    told += [_box(view, snapshot, language) for view in snapshot.boxes if view.uplink == uplink.name]
    return tag("article", title, tag("div", *told, class_="told"), last_hours, class_=how)


def _state(uplink: UplinkView, how: str, language: str) -> str:
    if how == "busy":
        return page("restarting", language)
    if uplink.health is Health.DOWN and uplink.answers_since is not None:
        return page("returning", language)
    return page(uplink.health.value, language)


def _figures(uplink: UplinkView, language: str) -> Html:
    """Delay and loss, and the silence while there is one."""
    figures: list[tuple[str, str]] = []
    rtt_ms, loss_pct = (uplink.rtt_ms, uplink.loss_pct) if is_linked(uplink) else (None, None)
    if rtt_ms is not None and isfinite(rtt_ms) and uplink.health.works:
        figures.append(("latency", panel("latency", language, rtt_ms=round(rtt_ms))))
    if loss_pct is not None and isfinite(loss_pct):
        figures.append(("loss", f"{loss_pct:.0f}\u00a0%"))
    if uplink.silent_s > 0 and isfinite(uplink.silent_s):
        figures.append(("silent", duration(uplink.silent_s, language)))
    cells = [tag("div", tag("dt", page(key, language)), tag("dd", value)) for key, value in figures]
    return tag("dl", *cells) if cells else Html()


def _box(box: BoxView, snapshot: Snapshot, language: str) -> Html:
    """One powered device, and why it is not restarted if it should be."""
    said = [page(box.phase.value, language)]
    if box.phase is not Phase.POWERED and box.until is not None:
        left = duration(max(0.0, box.until - snapshot.mono), language, 1)
        said.append(page("left", language, left_s=left))
    if not box.wired:
        said.append(page("unwired", language))
    elif box.proven_at is None and box.refusal == "not_proven":
        said.append(page("unproven", language))
    if box.cycles_today:
        key = "cycles_1" if box.cycles_today == 1 else "cycles"
        said.append(page(key, language, cycles=box.cycles_today))
    if box.refusal is not None:
        for_s = None if box.refused_until is None else max(0.0, box.refused_until - snapshot.mono)
        said.append(page("refused", language, reason=box.refusal, for_s=for_s))
    return tag("p", tag("b", box.label), " · ", " · ".join(said))


def _device(device: DeviceView, snapshot: Snapshot, language: str) -> Html:
    """What a modem, a dish or a box says of itself."""
    if device.says is None:
        return tag("p", tag("b", device.label), " · ", page("not_asked", language))
    parts: list[str] = []
    if not device.heard:
        ago_s = None if device.heard_at is None else max(0.0, snapshot.mono - device.heard_at)
        parts.append(page("not_heard", language, for_s=ago_s))
    elif device.strength is not None:
        parts.append(_signal(device, language))
    return tag("p", tag("b", device.label), " · ", joined(*_parted([*parts, *_facts(device, language)])))


def _parted(parts: list[str]) -> list[str]:
    return [piece for part in parts for piece in (" · ", part)][1:]


def _signal(device: DeviceView, language: str) -> Html:
    """Bars, and the word for them."""
    assert device.strength is not None
    full = BARS[device.strength]
    bars = "".join(
        f'<rect class="{"full" if place < full else "empty"}" '
        f'x="{place * 5}" y="{12 - place * 3}" width="4" height="{4 + place * 3}"/>'
        for place in range(5)
    )
    picture = Html(f'<svg class="bars" viewBox="0 0 24 16" aria-hidden="true">{bars}</svg>')
    word = tag("b", strength(device.strength, language))
    return joined(page("signal", language), " ", picture, " ", word)


def _facts(device: DeviceView, language: str) -> list[str]:
    """What stands behind the signal, and the rest, as far as it is said."""
    says = device.says
    assert says is not None
    facts = []
    if says.operator is not None:
        facts.append(says.operator)
    if says.radio is not None:
        facts += [name for name in (says.radio.network, says.radio.band) if name is not None]
        power_dbm = says.radio.rsrp_dbm if says.radio.rsrp_dbm is not None else says.radio.rssi_dbm
        if power_dbm is not None:
            facts.append(f"{power_dbm:.0f} dBm".replace("-", "−"))
    if device.trend_db is not None and device.trend_db <= -WEAKER_DB:
        facts.append(page("weaker", language, drop_db=round(-device.trend_db)))
    limit = device.limit_bytes if device.limit_bytes is not None else says.limit_bytes
    if says.month_bytes is not None:
        limit_gb = None if limit is None else limit / GIGA
        facts.append(page("used", language, used_gb=says.month_bytes / GIGA, limit_gb=limit_gb))
    if says.rx_dbm is not None:
        facts.append(page("light", language, rx_dbm=says.rx_dbm))
    if says.obstructed_pct:
        facts.append(page("obstructed", language, obstructed_pct=says.obstructed_pct))
    return facts
