"""What is printed for the front panel: its label in true size, and the sheet that says what the LEDs mean.

Both follow from the configuration alone. They are drawn so that they can be read in black and white: a
colour's name stands in words, and a rhythm is a strip of some seconds on which the LED is lit or dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.reports.pdf import HEIGHT, LEADING, POINT, WIDTH, Shade, Sheets, width, wrapped
from agent.text import sheet
from hardware.ports import Colour

LED_MM = 5.0
"""A LED of the usual size."""
PITCH_MM = 20.0
"""From one LED to the next; seven of them fit on the sheet."""
LABEL_HIGH_MM = 40.0
MARK_MM = 5.0
"""Length of a cutting mark."""
EDGE = 15.0
"""White at the left and at the right."""
FOOT = 8.0
"""White at least at the bottom; no usual printer leaves more than 6 mm."""
NAME_SIZES = (9.0, 8.0, 7.0, 6.0, 5.0)
NAME_LINES = 3
KEY_SIZE = 7.0
RULER_MM = 100.0

SHADES: dict[Colour, Shade] = {
    Colour.DARK: (1, 1, 1),
    Colour.GREEN: (0.2, 0.65, 0.3),
    Colour.ORANGE: (1.0, 0.75, 0.3),
    Colour.RED: (0.75, 0.1, 0.1),
}
"""Apart in brightness too."""
GREY: Shade = (0.9, 0.9, 0.9)
STRIP_S = 4.0
"""What the strip of a rhythm shows."""
STRIP_MM = 44.0
COLUMNS = (EDGE, EDGE + 50, EDGE + 92, EDGE + 134)
"""Where strip, what is seen, what it means and what to do begin."""
PAD = 2.0
SIZE = 9.0


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that a LED can say.

    Attributes:
        key: its texts, a table of ``sheet``.
        beats: what it shows one after the other, for ever: colour and seconds.
    """

    key: str
    beats: tuple[tuple[Colour, float], ...]


@dataclass(frozen=True, slots=True)
class Front:
    """What is on the front panel.

    Attributes:
        site: the site's name for people.
        uplinks: of those with a LED, in order: name for people, and operator or nothing.
        site_led: there is one for the whole site.
        screen: there is a screen whose advice comes first.
        button: there is one to press.
    """

    site: str
    uplinks: tuple[tuple[str, str], ...]
    site_led: bool
    screen: bool
    button: bool = False


def draw(front: Front, uplink_rows: Sequence[Row], site_rows: Sequence[Row], language: str) -> bytes:
    """Both sheets as a PDF; equal arguments give equal bytes."""
    sheets = Sheets(f"{front.site}: {sheet('title', language)}")
    _label(sheets, front, language)
    sheets.next()
    _meanings(sheets, front, uplink_rows, site_rows, language)
    return sheets.finished()


# --- the label -----------------------------------------------------------------------------------------


def places(front: Front, language: str) -> list[tuple[str, bool]]:
    """What stands in the row, from the left: its name, and whether it is a LED."""
    names = [(sheet("site", language), True)] if front.site_led else []
    names += [(label, True) for label, _ in front.uplinks]
    return [*names, (sheet("button", language), False)] if front.button else names


def _label(sheets: Sheets, front: Front, language: str) -> None:
    sheets.text(EDGE, 24, sheet("label_head", language), 16, bold=True)
    y = 28.0
    for key in ("label_print", "label_cut"):
        y += sheets.lines(EDGE, y, wrapped(sheet(key, language), 10, WIDTH - 2 * EDGE), 10) + 1
    row = places(front, language)
    key_lines = _key_lines(language, len(row) * PITCH_MM - 2 * PAD)
    wide = len(row) * PITCH_MM
    x, y = (WIDTH - wide) / 2, y + 16
    high = LABEL_HIGH_MM + (len(key_lines) - 1) * KEY_SIZE * POINT * LEADING
    _cutting_marks(sheets, x, y, wide, high)
    title, size = _fitted(f"{sheet('label_title', language)} · {front.site}", wide - 2 * PAD, 1)
    sheets.text(x + wide / 2, y + 7, title[0], size, bold=True, middle=True)
    for place, (name, is_led) in enumerate(row):
        middle = x + (place + 0.5) * PITCH_MM
        sheets.circle(middle, y + 15, LED_MM if is_led else LED_MM * 1.4)
        sheets.line(middle - 1, y + 15, middle + 1, y + 15, 0.1)
        sheets.line(middle, y + 14, middle, y + 16, 0.1)
        lines, size = _fitted(name, PITCH_MM - 1.5, NAME_LINES)
        for down, line in enumerate(lines):
            sheets.text(middle, y + 23 + down * size * POINT * LEADING, line, size, bold=True, middle=True)
    below = y + high - 2 - len(key_lines) * KEY_SIZE * POINT * LEADING
    for place, line in enumerate(key_lines, 1):
        sheets.text(x + wide / 2, below + place * KEY_SIZE * POINT * LEADING, line, KEY_SIZE, middle=True)
    _ruler(sheets, y + high + 25, language)


def _key_lines(language: str, wide: float) -> list[str]:
    """The meanings in short, none of them broken over two lines."""
    items = (item.replace(" ", "\N{NO-BREAK SPACE}") for item in sheet("label_key", language).split(" · "))
    return [line.removesuffix(" ·") for line in wrapped(" · ".join(items), KEY_SIZE, wide)]


def _fitted(text: str, wide: float, most: int) -> tuple[list[str], float]:
    """The text in at most so many lines, in the greatest letters that fit; cut short where none do."""
    for size in NAME_SIZES:
        lines = wrapped(text, size, wide, bold=True)
        if len(lines) <= most and all(width(line, size, bold=True) <= wide for line in lines):
            return lines, size
    size = NAME_SIZES[-1]
    return [_cut(line, size, wide) for line in wrapped(text, size, wide, bold=True)[:most]], size


def _cut(line: str, size: float, wide: float) -> str:
    while width(line, size, bold=True) > wide:
        line = line.rstrip("…")[:-1] + "…"
    return line


def _cutting_marks(sheets: Sheets, x: float, y: float, wide: float, high: float) -> None:
    """Two short lines at each corner, outside of what is cut out."""
    for corner, outward in ((x, -1), (x + wide, 1)):
        for edge, away in ((y, -1), (y + high, 1)):
            sheets.line(corner + outward, edge, corner + outward * (1 + MARK_MM), edge)
            sheets.line(corner, edge + away, corner, edge + away * (1 + MARK_MM))


def _ruler(sheets: Sheets, y: float, language: str) -> None:
    x = (WIDTH - RULER_MM) / 2
    sheets.line(x, y, x + RULER_MM, y, 0.3)
    for place in range(11):
        sheets.line(x + place * 10, y - 2, x + place * 10, y, 0.2)
    sheets.text(WIDTH / 2, y + 5, sheet("label_ruler", language), 9, middle=True)


# --- the sheet of meanings -----------------------------------------------------------------------------


def _meanings(
    sheets: Sheets, front: Front, uplink_rows: Sequence[Row], site_rows: Sequence[Row], language: str
) -> None:
    sheets.text(EDGE, 21, sheet("title", language), 20, bold=True)
    sheets.text(EDGE, 27, front.site, 11)
    leds = sheet("intro_site" if front.site_led else "intro_uplinks", language)
    intro = f"{leds} {sheet('intro', language)}"
    y = 29.0 + sheets.lines(EDGE, 29, wrapped(intro, SIZE, WIDTH - 2 * EDGE), SIZE) + 3
    if front.site_led:
        y = _table(sheets, y, sheet("site_head", language), site_rows, front, language)
    if front.uplinks:
        names = ", ".join(label for label, _ in front.uplinks)
        head = sheet("uplinks_head" if front.site_led else "uplinks_only", language, names=names)
        y = _table(sheets, y, head, uplink_rows, front, language)
    y += sheets.lines(EDGE, y, wrapped(sheet("lamp_test", language), SIZE, WIDTH - 2 * EDGE), SIZE) + 4
    _whom_to_call(sheets, y, front, language)


def _table(sheets: Sheets, y: float, head: str, rows: Sequence[Row], front: Front, language: str) -> float:
    """Draw one table; return where it ends."""
    heading = wrapped(head, 12, WIDTH - 2 * EDGE, bold=True)[:2]
    y += sheets.lines(EDGE, y, heading, 12, bold=True) + 2
    sheets.box(EDGE, y, WIDTH - 2 * EDGE, 5.5, GREY)
    for x, key in zip(COLUMNS, ("strip", "see", "means", "do"), strict=True):
        sheets.text(x + PAD, y + 4, sheet(key, language), 8, bold=True)
    y += 5.5
    for row in rows:
        y = _row(sheets, y, row, front, language)
    return y + 4


def _row(sheets: Sheets, y: float, row: Row, front: Front, language: str) -> float:
    do = sheet(f"{row.key}.do", language)
    if front.screen and row.key in ("down", "site_unwell"):
        do = f"{sheet('screen_first', language)} {do}"
    ends = (*COLUMNS[2:], WIDTH - EDGE)
    texts = (sheet(f"{row.key}.see", language), sheet(f"{row.key}.means", language), do)
    cells = [
        wrapped(text, SIZE, end - begin - 2 * PAD, bold=place == 0)
        for place, (text, begin, end) in enumerate(zip(texts, COLUMNS[1:], ends, strict=True))
    ]
    high = max(12.0, max(map(len, cells)) * SIZE * POINT * LEADING + 2.5)
    sheets.box(EDGE, y, WIDTH - 2 * EDGE, high)
    for x in COLUMNS[1:]:
        sheets.line(x, y, x, y + high, 0.15)
    _strip(sheets, EDGE + 3, y + high / 2 - 3, row.beats)
    for place, (x, lines) in enumerate(zip(COLUMNS[1:], cells, strict=True)):
        sheets.lines(x + PAD, y + 0.7, lines, SIZE, bold=place == 0)
    return y + high


def spans(beats: Sequence[tuple[Colour, float]], length_s: float) -> list[tuple[float, float, Colour]]:
    """From when to when what colour is lit in the first ``length_s`` seconds of a rhythm."""
    lit: list[tuple[float, float, Colour]] = []
    at = 0.0
    while at < length_s - 1e-9:
        for colour, lasting in beats:
            end = min(length_s, at + lasting)
            if colour is not Colour.DARK and at < end:
                goes_on = bool(lit) and lit[-1][1:] == (at, colour)
                begin = lit.pop()[0] if goes_on else at
                lit.append((begin, end, colour))
            at += lasting
    return lit


def _strip(sheets: Sheets, x: float, y: float, beats: Sequence[tuple[Colour, float]]) -> None:
    """A rhythm: high and filled while the LED is lit, a line while it is dark."""
    scale = STRIP_MM / STRIP_S
    sheets.line(x, y + 5, x + STRIP_MM, y + 5, 0.3)
    for begin, end, colour in spans(beats, STRIP_S):
        sheets.box(x + begin * scale, y, (end - begin) * scale, 5, SHADES[colour])


def _whom_to_call(sheets: Sheets, y: float, front: Front, language: str) -> None:
    sheets.text(EDGE, y + 4, sheet("call_head", language), 12, bold=True)
    names = [sheet("call_support", language)]
    names += [f"{label} ({operator})" if operator else label for label, operator in front.uplinks]
    y += 6
    step = min(7.0, (HEIGHT - FOOT - y) / len(names))
    for name in names:
        y += step
        shown, size = _fitted(name, 66, 1)
        sheets.text(EDGE, y, shown[0], size, bold=name == names[0])
        sheets.text(EDGE + 68, y, sheet("call_phone", language), 8)
        sheets.line(EDGE + 84, y + 0.5, EDGE + 130, y + 0.5)
        sheets.text(EDGE + 132, y, sheet("call_contract", language), 8)
        sheets.line(EDGE + 151, y + 0.5, WIDTH - EDGE, y + 0.5)
