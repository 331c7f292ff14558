"""A document of a few kinds of blocks, of which HTML, PDF and plain text are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from agent.reports.month_time import Piece


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; ``small`` for notes and methods."""

    text: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values in two columns."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a head.

    Attributes:
        head: of each column.
        rows: as many cells in each.
        widths: of the columns, as shares of the whole.
        right: columns whose cells stand to the right.
        bold: rows that stand out.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    right: frozenset[int] = frozenset()
    bold: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Chart:
    """A curve or bars over time.

    Attributes:
        title: what is shown.
        unit: of the values.
        begin: of the time axis, milliseconds.
        end: of the same.
        points: instant and value of each; None breaks the curve.
        down: ordered pieces that are shaded as outages.
        blank: ordered pieces that are shaded as not recorded.
        bars: each value is a bar as wide as ``wide`` milliseconds, beginning at its instant.
        wide: see ``bars``.
        from_zero: the scale begins at 0.
        least: the scale reaches at least this high.
        zone: of the labels.
        language: of the labels.
    """

    title: str
    unit: str
    begin: int
    end: int
    points: tuple[tuple[int, float | None], ...]
    zone: tzinfo
    language: str
    down: tuple[Piece, ...] = ()
    blank: tuple[Piece, ...] = ()
    bars: bool = False
    wide: int = 0
    from_zero: bool = True
    least: float = 0.0


Block = Heading | Paragraph | Facts | Table | Chart


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole document; ``language`` is ``fr`` or ``en``."""

    title: str
    lead: str
    blocks: tuple[Block, ...]
    language: str
