"""``vigie plan``: what is printed for a site, from its configuration alone."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.check import DEFAULT_FILE, EX_CONFIG
from agent.cli.labels import LANGUAGES
from agent.cli.words import say
from hardware.ports import Colour, Pattern

if TYPE_CHECKING:
    from agent.config.schema import Config
    from agent.reports.panel_sheet import Front, Row

WELL, NOT_WELL, NO_LIBRARY = 0, 1, 2
DEFAULT_OUT = Path("vigie-panel.pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie plan``."""
    parser.epilog = (
        "Exit code: 0 printed, 1 nothing to print or not written, 2 bad usage, 78 bad configuration."
    )
    parser.add_argument(
        "--panel-label",
        action="store_true",
        required=True,
        help="the front panel's label in true size, and a sheet that says what the LEDs mean (A4, PDF)",
    )
    parser.add_argument(
        "--config", type=Path, default=DEFAULT_FILE, metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=DEFAULT_OUT,
        metavar="FILE",
        help="the PDF; - for standard output; default: %(default)s",
    )
    parser.add_argument("--lang", choices=LANGUAGES, help="default: the site's own")


def run(args: argparse.Namespace) -> int:
    """Draw and write."""
    from agent.config.reader import ConfigErrors, read

    try:
        config = read(args.config)
    except ConfigErrors as errors:
        language = args.lang or "fr"
        sys.stderr.write("".join(f"{line}\n" for line in errors.lines(language)))
        return EX_CONFIG
    language = args.lang or config.site.language
    if not config.panel.leds:
        sys.stderr.write(f"{say('plan_no_led', language)}\n")
        return NOT_WELL
    if importlib.util.find_spec("reportlab") is None:
        sys.stderr.write(f"{say('plan_no_library', language, python=sys.executable)}\n")
        return NO_LIBRARY
    from agent.reports.panel_sheet import draw

    return _write(args.out, draw(front(config), uplink_rows(), site_rows(), language), language)


def _write(out: Path, pdf: bytes, language: str) -> int:
    if out == Path("-"):
        sys.stdout.buffer.write(pdf)
        return WELL
    try:
        out.write_bytes(pdf)
    except OSError as error:
        sys.stderr.write(f"{say('plan_unwritten', language, path=out, why=error.strerror or error)}\n")
        return NOT_WELL
    sys.stdout.write(f"{say('plan_written', language, path=out)}\n")
    return WELL


def front(config: Config) -> Front:
    """What the configuration puts on the front panel."""
    from agent.reports.panel_sheet import Front

    leds = config.panel.leds
    return Front(
        site=config.site.label,
        uplinks=tuple(
            (uplink.label, uplink.operator or "") for uplink in config.uplink if uplink.name in leds
        ),
        site_led="site" in leds,
        screen=config.panel.screen != "none",
        button=config.panel.button is not None,
    )


def uplink_rows() -> Sequence[Row]:
    """What the LED of an uplink can show, as the agent shows it."""
    from agent.reports.panel_sheet import Row
    from agent.sinks import lights

    patterns = {
        "works": lights.WORKS,
        "doubtful": lights.DOUBTFUL,
        "down": lights.DOWN,
        "restarting": lights.RESTARTING,
        "unknown": lights.UNKNOWN,
    }
    return [Row(key, _beats(pattern)) for key, pattern in patterns.items()]


def _beats(pattern: Pattern) -> tuple[tuple[Colour, float], ...]:
    steady = ((pattern.colour, pattern.on_s),)
    return (*steady, (Colour.DARK, pattern.off_s)) if pattern.off_s > 0 else steady


def site_rows() -> Sequence[Row]:
    """What the LED of the site can show, its winks included; dark without one means that no agent runs."""
    from agent.reports.panel_sheet import Row
    from agent.sinks import lights

    keys = {
        "site_works": Colour.GREEN,
        "site_unwell": Colour.ORANGE,
        "site_down": Colour.RED,
        "site_starting": Colour.DARK,
    }
    rows = []
    for key, colour in keys.items():
        winks = lights.WINKS[colour]
        wink = Colour.ORANGE if colour is Colour.DARK else Colour.DARK
        rest = lights.WINK_EVERY_S - 2 * winks * lights.WINK_S
        beats = ((colour, rest), *(((wink, lights.WINK_S), (colour, lights.WINK_S)) * winks))
        rows.append(Row(key, beats))
    return [*rows, Row("site_dead", ((Colour.DARK, lights.WINK_EVERY_S),))]
