"""Everything beyond echoes, asked through the virtual bay in each of its states, with the usual questions."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from bay_ground import TWO, eventually, eventually_answers
from bay_ground import play as play_bay

from agent.config.reader import parse
from agent.core.inquiries import Asked, Check, Said
from agent.core.model import Link
from agent.plans import check_plans, questions
from agent.probes.checker import Checker
from agent.probes.inquiry import Inquiry, Patience
from agent.probes.links import LinkWatcher
from hardware.virtual.bay import Bay

pytestmark = pytest.mark.bay
CONFIG = parse(
    resources.files("agent.config")
    .joinpath("minimal.toml")
    .read_text(encoding="utf-8")
    .replace('"eth1"', '"wwan0"')
    .replace('"eth0"', '"eth1"')
)
QUESTIONS = replace(questions(CONFIG), patience=Patience(name_s=1.0, page_s=1.0, hop_s=0.7))
BOX, CELL_BOX = "192.168.11.1", "192.168.12.1"
LARGEST_RUN_BYTES = 5_500
"""Of the usual questions, both directions, as frames on the line; the checker's docstring tells it."""


class Asking:
    """Asks through both uplinks of a bay, and gives what came of it."""

    def __init__(self, bay: Bay) -> None:
        self._checks: list[Check] = []
        self.counted: Counter[str] = Counter()
        self._inquiries = {}
        for plan, name, box in zip(check_plans(CONFIG), ("ftth", "cell"), (BOX, CELL_BOX), strict=True):
            inquiry = Inquiry(
                replace(plan, uplink=name), QUESTIONS, self._checks.append, time.monotonic, self._count
            )
            inquiry.link_changed(
                Link(name, present=True, carrier=True, address=bay.address(name), gateway=box)
            )
            self._inquiries[name] = inquiry

    def _count(self, uplink: str, sent: int, received: int) -> None:
        self.counted[uplink] += sent + received

    async def ask(self, uplink: str = "ftth") -> list[Check]:
        self._checks.clear()
        await self._inquiries[uplink].ask_all()
        assert {check.uplink for check in self._checks} <= {uplink}
        return list(self._checks)


def said(checks: list[Check]) -> dict[tuple[Asked, Said], int]:
    """How often each answer was given to each kind of question."""
    return dict(Counter((check.asked, check.said) for check in checks))


def play(folder: Path, story: Callable[[Bay, Asking], Awaitable[None]]) -> None:
    """Run ``story`` with its sockets at the bay's site."""

    async def act(bay: Bay) -> None:
        with bay.site.entered():
            await story(bay, Asking(bay))

    play_bay(folder, act, TWO)


def outcome(names: Said, pages: Said, hop: Said) -> dict[tuple[Asked, Said], int]:
    """The same answer to every question of a kind: two names to three servers, three pages, one hop."""
    return {(Asked.NAME, names): 6, (Asked.WEB, pages): 3, (Asked.HOP, hop): 1}


ALL_WELL = outcome(Said.WELL, Said.WELL, Said.WELL)


@pytest.mark.parametrize("uplink", ["ftth", "cell"])
def test_all_is_well(tmp_path: Path, uplink: str) -> None:
    """Names of box and public servers, pages, first hop; a run costs what is said of it."""

    async def story(bay: Bay, asking: Asking) -> None:
        before = bay.facts()[uplink]
        checks = await asking.ask(uplink)
        assert said(checks) == ALL_WELL
        assert all(check.took_ms is not None and check.by is not None for check in checks)
        after = bay.facts()[uplink]
        line = sum(after[way] - before[way] for way in ("sent_bytes", "received_bytes"))
        assert line < LARGEST_RUN_BYTES
        # What is asked of the box counts as well, and this one knows the names without asking anybody.
        assert line <= asking.counted[uplink] < 1.15 * line

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("deed", "args", "expected"),
    [
        ("portal", {}, outcome(Said.WRONG, Said.WRONG, Said.WELL)),
        ("portal", {"pages": "login"}, outcome(Said.WRONG, Said.WRONG, Said.WELL)),
        ("portal", {"pings": False}, outcome(Said.WRONG, Said.WRONG, Said.SILENT)),
        ("dns_out", {}, outcome(Said.SILENT, Said.WELL, Said.WELL)),
        ("dns_out", {"mode": "servfail"}, outcome(Said.REFUSED, Said.WELL, Said.WELL)),
        ("dns_out", {"mode": "nxdomain"}, outcome(Said.WRONG, Said.WELL, Said.WELL)),
        ("operator_out", {}, outcome(Said.SILENT, Said.SILENT, Said.WELL)),
        ("line_cut", {}, outcome(Said.SILENT, Said.SILENT, Said.SILENT)),
        ("hang", {"mode": "forwarding"}, outcome(Said.SILENT, Said.SILENT, Said.SILENT)),
        ("hang", {"mode": "frozen"}, outcome(Said.SILENT, Said.SILENT, Said.SILENT)),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else value,
)
def test_each_trouble_has_its_own_picture(
    tmp_path: Path, deed: str, args: dict[str, object], expected: dict[tuple[Asked, Said], int]
) -> None:
    """On the uplink that has it; the other one has none. When it is over, all is well again."""

    async def story(bay: Bay, asking: Asking) -> None:
        assert said(await asking.ask()) == ALL_WELL
        await bay.do(deed, on="ftth", **args)
        assert said(await asking.ask()) == expected
        assert said(await asking.ask("cell")) == ALL_WELL
        back = {"portal": "portal_end", "hang": "heal"}.get(
            deed, deed.replace("out", "back").replace("cut", "back")
        )
        await bay.do(back, on="ftth")
        await eventually_answers(bay, "ftth")
        assert said(await asking.ask()) == ALL_WELL

    play(tmp_path, story)


def test_only_the_box_has_no_names(tmp_path: Path) -> None:
    """The public servers answer through the same uplink, and pages are found by their word."""

    async def story(bay: Bay, asking: Asking) -> None:
        await asking.ask()
        await bay.do("dns_out", on="ftth", box_only=True)
        checks = await asking.ask()
        silent = {check.subject for check in checks if check.said is Said.SILENT}
        assert silent == {f"one.one.one.one@{BOX}", f"dns.google@{BOX}"}
        assert said(checks)[Asked.WEB, Said.WELL] == 3

    play(tmp_path, story)


def test_a_box_that_was_never_a_name_server_is_not_missed(tmp_path: Path) -> None:
    """Nobody has said that it is one."""

    async def story(bay: Bay, asking: Asking) -> None:
        await bay.do("dns_out", on="ftth", box_only=True)
        checks = await asking.ask()
        assert said(checks) == {**ALL_WELL, (Asked.NAME, Said.WELL): 4}
        assert not [check for check in checks if check.subject.endswith(f"@{BOX}")]

    play(tmp_path, story)


def test_without_any_address_a_page_is_not_asked_for(tmp_path: Path) -> None:
    """Names fail from the start, so nothing can be said about the web."""

    async def story(bay: Bay, asking: Asking) -> None:
        await bay.do("dns_out", on="ftth", mode="servfail")
        checks = await asking.ask()
        assert said(checks)[Asked.WEB, Said.UNSENT] == 3

    play(tmp_path, story)


@pytest.mark.parametrize("pages", ["redirect", "login"])
def test_a_portal_is_told_with_where_it_leads(tmp_path: Path, pages: str) -> None:
    """For the operator's case file, and for whoever has to pay."""

    async def story(bay: Bay, asking: Asking) -> None:
        await bay.do("portal", on="ftth", pages=pages)
        checks = [check for check in await asking.ask() if check.asked is Asked.WEB]
        told = f"302 Location: http://{BOX}/login" if pages == "redirect" else "200 title: Connexion requise"
        assert [(check.by, check.detail) for check in checks] == [(BOX, told)] * 3

    play(tmp_path, story)


def test_the_checks_of_a_dead_uplink_leave_by_no_other(tmp_path: Path) -> None:
    """Not one byte of them is on the other line."""

    async def story(bay: Bay, asking: Asking) -> None:
        await asking.ask()
        await bay.do("line_cut", on="ftth")
        before = bay.facts()["cell"]
        await asking.ask()
        after = bay.facts()["cell"]
        assert [before[way] == after[way] for way in ("sent_bytes", "received_bytes")] == [True, True]

    play(tmp_path, story)


def test_a_checker_follows_the_interface_as_the_watcher_tells(tmp_path: Path) -> None:
    """A modem that is unplugged is not asked; one that comes back with another address is, at once."""

    async def story(bay: Bay, _asking: Asking) -> None:
        checks: list[Check] = []
        links: list[Link] = []

        def follow(link: Link) -> None:
            links.append(link)
            checker.link_changed(link)

        def well() -> bool:
            return said([check for check in checks if check.uplink == "cell"]) == ALL_WELL

        plans = check_plans(CONFIG)
        checker = Checker(
            [replace(plans[0], uplink="ftth"), replace(plans[1], uplink="cell")], QUESTIONS, checks.append
        )
        watcher = LinkWatcher({"ftth": "eth1", "cell": "wwan0"}, follow)
        tasks = [asyncio.create_task(checker.run()), asyncio.create_task(watcher.run())]
        await eventually(lambda: len(links) == 2)
        checker.ask_more("cell")
        await eventually(well)
        await bay.do("unplug_interface", on="cell")
        await eventually(lambda: not links[-1].present)
        await bay.do("new_address", on="cell", later=True)
        checks.clear()
        await bay.do("replug_interface", on="cell")
        # At once, but not sooner than five seconds after the last time.
        await eventually(well, within_s=15.0)
        assert links[-1].address == "192.168.12.11"
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    play(tmp_path, story)
