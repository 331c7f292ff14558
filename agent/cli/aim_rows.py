"""The picture of an antenna being aimed, as rows of styled pieces. Pure; every colour stands beside a word.

What does not fit the terminal's height is left out, the least important first; nothing is wider than it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from agent.cli.aim import KEPT_S, PLACE_READINGS, TOP, Aim, Place, Reading, Verdict, limit_of, power_of, score
from agent.cli.aim_words import change_text, figure_text, figures_text, mute, place_parts
from agent.cli.rows import Row
from agent.cli.view import local_time
from agent.cli.words import say
from agent.core.devices import Radio, Registration, Says, Strength
from agent.core.radio import strength
from agent.sinks import font
from agent.text import duration
from agent.text import strength as strength_word

Pieces = tuple[Row, ...]

STYLES = {
    Strength.EXCELLENT: "bold green",
    Strength.GOOD: "bold green",
    Strength.FAIR: "bold yellow",
    Strength.POOR: "bold dark_orange",
    Strength.UNUSABLE: "bold red",
}
VERDICTS = {
    Verdict.BETTER: ("▲", "bold green"),
    Verdict.WORSE: ("▼", "bold red"),
    Verdict.SAME: ("=", "bold"),
}
WORDS = tuple(Strength)[::-1]
"""From the left end of the scale to its right."""
STEPS = "▁▂▃▄▅▆▇█"
FIGURE = re.compile(r"\b(RSRP|RSSI|SINR|RSRQ) \S+ dBm?|\d+ (j|d|h|min|s)\b")
LEAST_SPAN = 1.0
"""The history's height is at least one word: what a signal wavers by itself must not look like a mountain."""
NARROW = 60
TALL_HISTORY = 3


@dataclass(frozen=True, slots=True)
class Stage:
    """What a picture depends on beside the readings.

    Attributes:
        mono: now, monotonic seconds.
        at: now, UNIX seconds.
        width: columns.
        height: lines.
        language: of the words.
        label: the modem's name for people; empty: not known yet.
        keys: keys are heard.
    """

    mono: float
    at: float
    width: int = 80
    height: int = 24
    language: str = "fr"
    label: str = ""
    keys: bool = True


def rows(aim: Aim, stage: Stage) -> list[Pieces]:
    """The picture: at most ``stage.height`` rows of at most ``stage.width`` columns."""
    blocks = _blocks(aim, stage)
    left = stage.height
    chosen: set[int] = set()
    # What matters more gets its rows first; what does not fit any more is left out as a whole.
    for place, (_, block) in sorted(enumerate(blocks), key=lambda one: one[1][0]):
        if len(block) <= left:
            left -= len(block)
            chosen.add(place)
    return [_fit(row, stage.width) for place in sorted(chosen) for row in blocks[place][1]]


def _blocks(aim: Aim, stage: Stage) -> list[tuple[int, list[Pieces]]]:
    """The parts of the picture from top to bottom, each with its rank; 0 matters most."""
    language = stage.language
    gap: tuple[int, list[Pieces]] = (6, [_line("")])
    last = aim.last
    title = f" {stage.label} " if stage.label else " Vigie "
    head: list[Pieces] = [((title, "bold reverse"), (f"  {local_time(stage.at)}", ""))]
    if last is None:
        return [(1, head), gap, (0, [_line(say("signal_waiting", language))]), (2, _keys(stage))]
    tall = stage.height >= 22
    blocks: list[tuple[int, list[Pieces]]] = [(1, head), gap]
    if last.score is None:
        told = mute(last.says, language)
        blocks.append((0, [row for text in told for row in _broken(text, "bold red", stage.width)]))
    else:
        blocks += [(0, _word(last, stage)), gap, *_bar(aim, last, stage)]
        blocks += [gap, (0, [_figures(last.radio, stage)])]
    blocks.append((3, _whose(last.says, stage)))
    blocks += [gap, (1, _change(aim, stage)), gap]
    blocks.append((5, [_line(say("signal_minute", language), "dim")]))
    blocks.append((2, _history(aim, stage.width, TALL_HISTORY if tall else 1)))
    blocks += [gap, *_places(aim, stage), (4, _keys(stage))]
    return blocks


def _line(text: str, style: str = "") -> Pieces:
    return ((text, style),)


def _broken(text: str, style: str, width: int) -> list[Pieces]:
    """A text that may be too long, broken between words, but never within a figure."""
    whole = FIGURE.sub(lambda match: match[0].replace(" ", "\0"), text)
    broken = textwrap.wrap(whole, width, subsequent_indent="  ")
    return [_line(part.replace("\0", " "), style) for part in broken]


def _fit(row: Pieces, width: int) -> Pieces:
    """Cut to the terminal's width, with an ellipsis."""
    left, fitting = width, []
    for text, style in row:
        if len(text) > left:
            fitting.append((text[: max(0, left - 1)] + "…" if left else "", style))
            break
        fitting.append((text, style))
        left -= len(text)
    return tuple(fitting)


# --- the word and the bar -----------------------------------------------------------------------------------


def _word(reading: Reading, stage: Stage) -> list[Pieces]:
    """How good it is, to be read from some metres away where there is room."""
    word = strength(reading.radio)
    assert word is not None, "a reading with a place on the scale has a word"
    text, style = strength_word(word, stage.language).upper(), STYLES[word]
    if stage.width < NARROW or stage.height < 18:
        return [((f" {text} ", f"{style} reverse"),)]
    return [_line(f" {row}", style) for row in _large(text)]


def _large(text: str) -> list[str]:
    """Capitals in half blocks, four rows high."""
    pixels = ["".join(font.glyph(letter)[y] + "." for letter in text) for y in range(8)]
    return [
        "".join(" ▀▄█"[(a == "#") + 2 * (b == "#")] for a, b in zip(pixels[y], pixels[y + 1], strict=True))
        for y in range(0, 8, 2)
    ]


def _bar(aim: Aim, last: Reading, stage: Stage) -> list[tuple[int, list[Pieces]]]:
    """The scale's words, the bar with the best marked on it, and what the best was."""
    width, value = stage.width, last.score or 0.0
    word = strength(last.radio)
    style = "" if word is None else STYLES[word]
    full = _column(value, width)
    cells = ["█" if column < full else "░" for column in range(width)]
    blocks: list[tuple[int, list[Pieces]]] = []
    if (names := _names(width, stage.language)) is not None:
        blocks.append((5, [_line(names, "dim")]))
    mark = None
    if aim.best is not None and aim.best.score is not None:
        mark = min(width - 1, max(0, _column(aim.best.score, width) - 1))
    bar: Pieces = (("".join(cells), style),)
    if mark is not None:
        bar = (
            ("".join(cells[:mark]), style),
            ("┃", "bold reverse" if mark < full else "bold"),
            ("".join(cells[mark + 1 :]), style),
        )
    blocks.append((0, [bar]))
    # More of it where there is room: the bar is what is seen from afar.
    blocks += [(4, [bar]), (6, [bar])]
    if mark is not None and aim.best is not None:
        blocks.append((2, _best(aim.best, mark, stage)))
    return blocks


def _column(value: float, width: int) -> int:
    return round(value / TOP * width)


def _names(width: int, language: str) -> str | None:
    """Each word above its part of the bar; None where one does not fit."""
    names = [strength_word(word, language) for word in WORDS]
    edges = [_column(number, width) for number in range(len(names) + 1)]
    if any(len(name) + 1 > edges[number + 1] - edges[number] for number, name in enumerate(names)):
        return None
    return "".join(f"┊{name}".ljust(edges[number + 1] - edges[number]) for number, name in enumerate(names))


def _best(best: Reading, mark: int, stage: Stage) -> list[Pieces]:
    """The best so far, at the mark: how good, how long ago, where."""
    language = stage.language
    ago = duration(max(0.0, stage.mono - best.mono), language)
    key = "signal_best" if best.place is None else "signal_best_at"
    text = say(key, language, figures=figures_text(best.radio), ago=ago, place=best.place)
    if mark + len(text) + 2 <= stage.width:
        return [_line(" " * mark + f"▲ {text}", "bold")]
    if len(text) + 1 <= mark:
        return [_line(f"{text} ▲".rjust(mark + 1), "bold")]
    return _broken(text, "bold", stage.width)


# --- figures ------------------------------------------------------------------------------------------------


def _figures(radio: Radio, stage: Stage) -> Pieces:
    """The figures, and which of them is the limit."""
    power, limit = power_of(radio), limit_of(radio)
    names = [name for name in (power, "sinr_db") if name is not None]
    if stage.width >= NARROW or radio.sinr_db is None:
        names += [name for name in ("rsrq_db", "rssi_dbm") if name not in names]
    pieces: list[Row] = []
    for name in names:
        value = getattr(radio, name)
        if value is None:
            continue
        main = name in (power, "sinr_db")
        pieces.append((figure_text(name, value), "bold" if main else "dim"))
        if name == limit:
            pieces.append((f" ◂ {say('signal_limit', stage.language)}", "yellow"))
        pieces.append(("   " if stage.width >= NARROW else "  ", ""))
    return tuple(pieces[:-1])


def _whose(says: Says, stage: Stage) -> list[Pieces]:
    """Network, band, cell, operator; a 5G carrier beside."""
    radio, language = says.radio or Radio(), stage.language
    parts = [part for part in (radio.network, radio.band) if part is not None]
    if radio.cell is not None:
        parts.append(say("signal_cell", language, cell=radio.cell))
    known = says.registration not in (None, Registration.HOME)
    whose = [*([says.operator] if says.operator else [])]
    if known:
        whose.append(say(f"signal_registration_{says.registration}", language))
    lines = ["   ".join([*parts, *whose])]
    if stage.width < NARROW:
        lines = ["  ".join(parts), "  ".join(whose)]
    if radio.nr_rsrp_dbm is not None:
        beside = [part for part in ("5G", radio.nr_band) if part is not None]
        nr = Radio(rsrp_dbm=radio.nr_rsrp_dbm, sinr_db=radio.nr_sinr_db)
        lines.append("  ".join([*beside, figures_text(nr)]))
    return [_line(line) for line in lines if line]


def _change(aim: Aim, stage: Stage) -> list[Pieces]:
    change, told = aim.change, change_text(aim, stage.language)
    if change is None or told is None:
        return []
    symbol, style = VERDICTS[change.verdict]
    return _broken(f"{symbol} {told}", style, stage.width)


# --- the last minute ----------------------------------------------------------------------------------------


def _history(aim: Aim, width: int, height: int) -> list[Pieces]:
    """One column a reading, the newest at the right; fewer where there is less room. A gap is "no answer"."""
    values = [reading.score for reading in aim.recent]
    share = max(1, -(-int(KEPT_S) // width))
    if share > 1:
        # Counted from the first reading of all, so that a column keeps its readings while it moves on.
        columns: dict[int, list[float | None]] = {}
        for number, value in enumerate(values, aim.count - len(values)):
            columns.setdefault(number // share, []).append(value)
        values = [_mean(column) for column in columns.values()]
    values = values[-width:]
    known = [value for value in values if value is not None]
    if not known:
        return []
    low, high = min(known), max(known)
    slack = max(0.0, LEAST_SPAN - (high - low)) / 2
    low, span = low - slack, max(LEAST_SPAN, high - low)
    steps = len(STEPS) * height
    levels = [None if value is None else 1 + round((value - low) / span * (steps - 1)) for value in values]
    return [_line(_slice(levels, floor), "cyan") for floor in range(steps - len(STEPS), -1, -len(STEPS))]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _slice(levels: Sequence[int | None], floor: int) -> str:
    """One row of the history: what of each column stands above ``floor``."""
    cells = ""
    for level in levels:
        if level is None:
            cells += "·" if floor == 0 else " "
        else:
            above = min(len(STEPS), level - floor)
            cells += " " if above <= 0 else STEPS[above - 1]
    return cells


# --- places -------------------------------------------------------------------------------------------------


def _places(aim: Aim, stage: Stage) -> list[tuple[int, list[Pieces]]]:
    """The one that is being noted, and the best of those that were."""
    language = stage.language
    blocks: list[tuple[int, list[Pieces]]] = []
    done = aim.places
    if aim.left > 0:
        done = aim.places[:-1]
        key = "signal_still" if aim.left <= PLACE_READINGS else "signal_here"
        told = say(
            key, language, place=aim.places[-1].name, left=aim.left, count=len(aim.places[-1].readings)
        )
        blocks.append((1, [_line(told, "bold reverse")]))
    ranked = sorted(done, key=lambda place: -(score(place.middle) or 0.0))
    blocks += [(3 + number, [place_row(place, language)]) for number, place in enumerate(ranked[:3])]
    return blocks


def place_row(place: Place, language: str) -> Pieces:
    """One place: its name, its word, its middle figures."""
    word = strength(place.middle)
    name, told, figures = place_parts(place, language)
    return ((name, ""), (told, "dim" if word is None else STYLES[word]), (figures, ""))


def _keys(stage: Stage) -> list[Pieces]:
    key = "signal_keys" if stage.keys else "signal_end"
    return [_line(say(key, stage.language), "dim")]
