"""Which devices are asked about themselves, where and what for, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from agent.config.effective import reboots
from agent.config.schema import Box, Config, Modem
from agent.config.words import Words, say

DISH_PORT = 9201
"""gRPC-Web of a dish, as ``hardware.starlink`` asks it."""


def asked(config: Config) -> Iterator[Words]:
    """A line for each modem, then for each box with an ``api``. Nothing in it is secret."""
    told = set(reboots(config).values())
    for modem in config.modem:
        place = str(modem.device) if modem.driver == "at" else f"http://{modem.address}/"
        yield _line("modem", modem, modem.driver, place, reboot=modem.name in told)
    for box in config.box:
        if box.api is not None:
            yield _line("box", box, box.api, _place(box), reboot=box.name in told)


def _place(box: Box) -> str | Words:
    match box.api:
        case "bbox":
            return say("asked_bbox", address=box.address)
        case "starlink":
            return f"http://{box.address}:{DISH_PORT}/"
        case _:
            return f"http://{box.address}/"


def _line(section: str, entry: Modem | Box, speaks: str, place: str | Words, *, reboot: bool) -> Words:
    less = entry.password_file is None and speaks in ("hilink", "livebox", "bbox")
    return say(
        "asked",
        section=section,
        name=entry.name,
        place=place,
        facts=say(f"facts_{speaks}_open" if less else f"facts_{speaks}"),
        reboot=say("asked_reboot" if reboot else "asked_no_reboot"),
    )
