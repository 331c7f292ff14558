"""The panel in a commissioning: each LED in each colour, the screen up to its edges, each button."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.cli.control_client import ANSWER_S, RefusedError, UnreachableError
from agent.cli.walk import Walk
from agent.cli.words import say
from agent.reports.commissioning import Verdict
from hardware.ports import Colour

COLOURS = (Colour.GREEN, Colour.RED, Colour.ORANGE)
PRESS_S = 30.0
"""So long a person has to press a button."""
LOOK_S = 0.2
SHOWN_S = 0.8
"""Each colour is shown so long, one after the other, until the person has answered."""


def try_leds(walk: Walk) -> None:
    """Each LED: the right one, in the right colours, in the right order."""
    if not walk.config.panel.leds:
        walk.tell("leds_none")
        return
    walk.tell("leds_head")
    labels = {"site": say("led_site", walk.language), **{u.name: u.label for u in walk.config.uplink}}
    for name, pins in walk.config.panel.leds.items():
        walk.begin(f"led:{name}")
        text = say("led_said", walk.language, label=labels[name])
        shown = [{"led": name, "colour": colour.value} for colour in COLOURS]
        where = {"green": f"gpio{pins.green}", "red": f"gpio{pins.red}"}
        _judge(walk, shown, "led_ask", text, say("led_wrong", walk.language, **where), label=labels[name])


def try_screen(walk: Walk) -> None:
    """The screen: a frame along all four edges, which another controller would shift."""
    if walk.config.panel.screen == "none":
        walk.tell("screen_none")
        return
    walk.begin("screen")
    controller = walk.config.panel.screen
    text = say("screen_said", walk.language, controller=controller)
    _judge(walk, [{"screen": True}], "screen_ask", text, say("screen_wrong", walk.language))


def try_buttons(walk: Walk) -> None:
    """Each button: it is seen when somebody presses it. Nobody who is not there is waited for."""
    panel = walk.config.panel
    pins = {"page": panel.button, "hold": panel.button_hold}
    if panel.button is None:
        walk.tell("button_none")
        return
    for name, pin in pins.items():
        if pin is None:
            continue
        walk.begin(f"button:{name}")
        text = say(f"button_said_{name}", walk.language, pin=f"gpio{pin}")
        walk.tell("button_press", what=text, within_s=round(PRESS_S))
        try:
            seen = _pressed(walk.socket, name)
        except RefusedError as error:
            walk.note(Verdict.FAILED, text, str(error))
            continue
        why = "" if seen else say("button_wrong", walk.language, pin=f"gpio{pin}")
        walk.note(Verdict.PASSED if seen else Verdict.FAILED, text, why)


def _pressed(path: Path, name: str) -> bool:
    """Wait until somebody presses the button; false if nobody does in ``PRESS_S``."""
    end = time.monotonic() + PRESS_S
    with _trial(path) as stream:
        while True:
            if _show(stream, {"button": name}).get("pressed") is True:
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(LOOK_S)


def _judge(
    walk: Walk, shown: Sequence[Mapping[str, Any]], question: str, text: str, wrong: str, label: str = ""
) -> None:
    """Show it, ask whether it is right, and note the answer."""
    try:
        with showing(walk.socket, shown):
            well = walk.confirm(question, label=label)
    except RefusedError as error:
        walk.note(Verdict.FAILED, text, str(error))
        return
    walk.note(Verdict.PASSED if well else Verdict.FAILED, text, "" if well else wrong)


@contextlib.contextmanager
def showing(path: Path, shown: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """Show this on the panel, one after the other, again and again, until the block ends.

    Everything has been shown once when the block begins.

    Raises:
        UnreachableError: the agent does not answer.
        RefusedError: the agent cannot show it; the message says why.
    """
    with _trial(path) as stream:
        for one in shown:
            _show(stream, one)
            time.sleep(SHOWN_S)
        enough = threading.Event()
        turning = threading.Thread(target=_turn, args=(stream, shown, enough), daemon=True)
        if len(shown) > 1:
            turning.start()
        try:
            yield
        finally:
            enough.set()
            if turning.is_alive():
                turning.join()


@contextlib.contextmanager
def _trial(path: Path) -> Iterator[Any]:
    """A connection on which the panel is had, until the block ends."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(ANSWER_S)
        try:
            connection.connect(str(path))
        except OSError as error:
            raise UnreachableError(f"{path}: {error}") from error
        yield connection.makefile("rwb")


def _turn(stream: Any, shown: Sequence[Mapping[str, Any]], enough: threading.Event) -> None:
    """Go on showing until it is enough; an agent that has gone is noticed by whoever asks it next."""
    with contextlib.suppress(OSError, UnreachableError, RefusedError):
        while True:
            for one in shown:
                _show(stream, one)
                if enough.wait(SHOWN_S):
                    return


def _show(stream: Any, what: Mapping[str, Any]) -> dict[str, Any]:
    try:
        stream.write(json.dumps({"do": "try", **what}).encode() + b"\n")
        stream.flush()
        line = stream.readline()
    except OSError as error:
        raise UnreachableError(f"the agent does not answer: {error}") from error
    if not line:
        raise UnreachableError("the agent hung up")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise RefusedError(str(answer["error"]))
    return answer
