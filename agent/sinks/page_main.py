"""The screen's main page, and those that need no page: silence and trial.

From top to bottom: the headline, readable at two metres; while a box is being restarted, a countdown and
"do not touch"; one row per uplink, a modem's with its signal as bars; at the bottom what to do, or why
nothing is done automatically.
"""

from __future__ import annotations

from PIL import Image

from agent.core.codes import FINDINGS, Scope
from agent.core.devices import Strength
from agent.core.snapshot_types import BoxView, Health, Phase, Snapshot, UplinkView
from agent.sinks import font
from agent.sinks.canvas import BIG, HEADLINE, LINE, MARGIN, SIZE, Canvas, cut, wrapped
from agent.text import duration, panel, words

NARROW = 100
"""A row of fewer columns says no more than a figure beside the name."""
TALL = 96
"""From so many rows on, there is room for twice the uplinks one below the other."""
ONE_COLUMN_ROWS = 3
"""More uplinks than that stand in two columns."""
GAP = 3
"""Dark columns between the two."""
MARK_COLUMNS = 7
NAME_GAP = 4
"""Dark columns at least between an uplink's name, its signal and its state."""
BARS = {
    Strength.EXCELLENT: 4,
    Strength.GOOD: 3,
    Strength.FAIR: 2,
    Strength.POOR: 1,
    Strength.UNUSABLE: 0,
}
"""How many of a signal's bars are lit."""
BAR_HEIGHTS = (4, 5, 6, 7)
PAGE_S = 6
"""Seconds for which each of several texts at the bottom is shown."""

MARKS = {
    Health.UP: "✓",
    Health.DEGRADED: "!",
    Health.SUSPECT: "?",
    Health.DOWN: "✗",
    Health.UNKNOWN: "?",
}
BOX_WORDS = {Phase.ORDERED: "box_waits", Phase.CUT: "box_cut", Phase.BOOTING: "box_boots"}


def render(snapshot: Snapshot, language: str, size: tuple[int, int] = SIZE) -> Image.Image:
    """Draw the site.

    Args:
        snapshot: what to show.
        language: one of ``agent.text.LANGUAGES``.
        size: pixels; made for 128 by 64 and more, what does not fit is cut off.

    Returns:
        A picture of ``size`` in mode "1".
    """
    canvas = Canvas(size)
    y = canvas.headline(words(snapshot.headline, language, {"label": snapshot.label}).short)
    cycling = next((box for box in snapshot.boxes if box.phase is not Phase.POWERED), None)
    if cycling is not None:
        y = _countdown(canvas, y, cycling, snapshot.mono, language)
    elif len(snapshot.uplinks) < ONE_COLUMN_ROWS:
        y += 2  # there is room to keep clear of the headline's tails
    y = _uplinks(canvas, y, snapshot, language)
    canvas.foot(y, _bottom_text(snapshot, language, cycling is not None))
    return canvas.image


def render_silence(language: str, size: tuple[int, int] = SIZE) -> Image.Image:
    """The picture for when no snapshot comes any more: no old state must look current."""
    canvas = Canvas(size)
    canvas.foot(canvas.headline(panel("silent", language)), panel("silent_advice", language))
    return canvas.image


def render_trial(language: str, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture to try the screen with: a frame along all four edges, dark and lit areas, both sizes of text.

    A frame that is incomplete or shifted means that another controller is on the panel than configured.
    """
    canvas = Canvas(size)
    wide, high = size
    canvas.bar(0, 0, wide, high)
    canvas.bar(1, 1, wide - 2, high - 2, 0)
    canvas.text(4, 4, panel("trial", language), BIG)
    for x in range(4, wide - 4, 8):
        canvas.bar(x, 4 + HEADLINE, 4, 8)
    for below, text in enumerate(wrapped(panel("trial_frame", language), wide - 8)):
        canvas.text(4, 16 + HEADLINE + below * LINE, text)
    return canvas.image


def _countdown(canvas: Canvas, y: int, box: BoxView, now: float, language: str) -> int:
    """Draw the band "1:20 do not touch"; return the row below it."""
    left_s = max(0, round(box.until - now)) if box.until is not None else 0
    clock = f"{left_s // 60}:{left_s % 60:02}"
    warning = panel("do_not_touch", language)
    high = 7 * BIG
    canvas.text(MARGIN, y, clock, BIG)
    x = MARGIN + font.width(clock) * BIG + 5
    canvas.bar(x, y, canvas.right - x, high)
    canvas.text(x + (canvas.right - x - font.width(warning)) // 2, y + 3, warning, dark=True)
    return y + high + 2


def _uplinks(canvas: Canvas, y: int, snapshot: Snapshot, language: str) -> int:
    """Draw one row per uplink; return the row below them."""
    cycling = {box.uplink: box for box in snapshot.boxes if box.phase is not Phase.POWERED}
    # A box that has no power has no signal either, whatever its modem said a moment ago.
    bars = {
        device.uplink: BARS[device.strength]
        for device in snapshot.devices
        if device.strength is not None and device.uplink not in cycling
    }
    count = len(snapshot.uplinks)
    columns = 2 if count > (2 * ONE_COLUMN_ROWS if canvas.bottom >= TALL else ONE_COLUMN_ROWS) else 1
    pitch = LINE + 2 if count < ONE_COLUMN_ROWS else LINE
    wide = (canvas.right - MARGIN - GAP * (columns - 1)) // columns
    narrow = wide < NARROW
    # Which one is used is better to know than which one should be.
    known = any(uplink.active for uplink in snapshot.uplinks)
    for place, uplink in enumerate(snapshot.uplinks):
        pointed = uplink.active if known else uplink.preferred
        row, column = divmod(place, columns)
        frame = (MARGIN + column * (wide + GAP), y + row * pitch, wide, min(pitch, LINE + 1))
        state = _state(uplink, cycling.get(uplink.name), snapshot.mono, language, narrow=narrow)
        _row(canvas, frame, uplink, state, bars.get(uplink.name), pointed=pointed)
    return y + -(-count // columns) * pitch


def _state(uplink: UplinkView, box: BoxView | None, now: float, language: str, *, narrow: bool) -> str:
    """What a row says at its right: a latency in good health, otherwise what is the matter."""
    if box is not None:
        return "" if narrow else panel(BOX_WORDS[box.phase], language)
    rtt_ms = None if uplink.rtt_ms is None else round(uplink.rtt_ms)
    latency = "" if rtt_ms is None else str(rtt_ms) if narrow else panel("latency", language, rtt_ms=rtt_ms)
    if uplink.health is Health.UP:
        return latency
    if uplink.health is Health.DEGRADED:
        return latency if narrow else f"{panel('degraded', language)} {latency}".rstrip()
    if uplink.health is Health.UNKNOWN:
        return "" if narrow else panel("unknown", language)
    if uplink.health is Health.SUSPECT:
        lasting, key = uplink.silent_s, "suspect"
    elif uplink.answers_since is not None:
        lasting, key = now - uplink.answers_since, "returning"
    else:
        lasting, key = now - uplink.since, "down"
    for_s = duration(lasting, language, units=1)
    return for_s if narrow else panel(key, language, for_s=for_s)


def _row(
    canvas: Canvas,
    frame: tuple[int, int, int, int],
    uplink: UplinkView,
    state: str,
    bars: int | None,
    *,
    pointed: bool,
) -> None:
    """Draw one uplink at (x, y, width, height): pointer, mark, name, signal, state."""
    x, y, wide, high = frame
    down = uplink.health is Health.DOWN
    if down:
        canvas.bar(x, y - 1, wide, high)
    if pointed:
        canvas.text(x, y, "▶", dark=down)
    mark = MARKS[uplink.health]
    canvas.text(x + 6 + (MARK_COLUMNS - font.width(mark)) // 2, y, mark, dark=down)
    left, right = x + 6 + MARK_COLUMNS + 3, x + wide - 1
    narrow, name = wide < NARROW, font.width(uplink.label)
    if state and not (narrow and name + NAME_GAP + font.width(state) > right - left):
        # In a narrow row the mark says the most important; a name cut short would say nothing.
        right -= font.width(state)
        canvas.text(right, y, state, dark=down)
        right -= NAME_GAP
    bar = 1 if narrow else 2
    shown = len(BAR_HEIGHTS) * (bar + 1) - 1
    if bars is not None and name + NAME_GAP + shown <= right - left:
        right -= shown
        _bars(canvas, right, y, bar, bars, dark=down)
        right -= NAME_GAP
    canvas.text(left, y, cut(uplink.label, right - left), dark=down)


def _bars(canvas: Canvas, x: int, y: int, bar: int, lit: int, *, dark: bool) -> None:
    """Draw a signal: lit bars at their heights, of the others only the foot."""
    for place, high in enumerate(BAR_HEIGHTS):
        shown = high if place < lit else 1
        canvas.bar(x + place * (bar + 1), y + BAR_HEIGHTS[-1] - shown, bar, shown, 0 if dark else 1)


def _bottom_text(snapshot: Snapshot, language: str, cycling: bool) -> str:
    """What to do, in turn with why nothing is done automatically."""
    texts = []
    if snapshot.findings and not cycling:
        first = snapshot.findings[0]
        entry = FINDINGS[first.code]
        if entry.scope is Scope.SERVICE and not entry.aside:
            texts.append(first.label)
        texts.append(words(first.code, language, {**first.args, "label": first.label}).advice)
    if snapshot.hold_until is not None and snapshot.hold_until > snapshot.mono:
        left = duration(snapshot.hold_until - snapshot.mono, language, units=1)
        texts.append(panel("hold", language, left_s=left))
    elif (reason := _why_nothing_happens(snapshot)) is not None:
        texts.append(panel("unarmed", language, reason=reason))
    texts = [text for text in texts if text]
    return texts[int(snapshot.mono // PAGE_S) % len(texts)] if texts else ""


def _why_nothing_happens(snapshot: Snapshot) -> str | None:
    """The reason for which no box is restarted automatically, if one would or could be."""
    if snapshot.unarmed_why is not None or not snapshot.armed:
        return snapshot.unarmed_why or "not_armed"
    return next((str(box.refusal) for box in snapshot.boxes if box.refusal is not None), None)
