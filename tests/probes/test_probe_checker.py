"""When checks run, without waiting: an uplink whose interface does not exist answers "not sent" at once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from check_bay import PUBLIC, NameOracle, WebOracle, dns_reply, says
from probe_bay import OTHER, TARGET, Site, play, site_with
from standing_clock import StandingClock

from agent.core.inquiries import Asked, Check, Said
from agent.core.model import Link
from agent.probes.checker import APART_S, FIRST_S, Checker, CheckPlan, Questions
from agent.probes.inquiry import Inquiry, Patience
from agent.probes.web import Page
from hardware.virtual.netns import Namespace

pytestmark = pytest.mark.bay
NAMES = Questions(("dns.google",), (TARGET,), (), Patience(5.0, 5.0, 0.2))
EVERYTHING = Questions(("dns.google",), (TARGET,), (Page("example.net", "/204"),))


class Time(StandingClock):
    """A clock that goes on for so long as it is told."""

    async def go(self, seconds: float) -> None:
        """Let time pass, from one sleeper's end to the next."""
        end = self.now + seconds
        await settle()
        while due := [one for one in self.sleepers if one[0] <= end and not one[1].done()]:
            at, waked = min(due, key=lambda one: one[0])
            self.now = max(self.now, at)
            waked.set_result(None)
            await settle()
        self.now = end
        await settle()


async def settle() -> None:
    """Let everything happen that does not wait for time or network."""
    for _ in range(100):
        await asyncio.sleep(0)


@dataclass
class Run:
    """A checker that runs inside the block, its clock, and what it has posted."""

    checker: Checker
    time: Time
    checks: list[Check]

    def runs(self, uplink: str) -> list[float]:
        """When each run of an uplink began, in seconds from the start."""
        subject = f"dns.google@{TARGET}"
        mine = [check for check in self.checks if (check.uplink, check.subject) == (uplink, subject)]
        return [check.sent_at - 1000.0 for check in mine]


@contextlib.asynccontextmanager
async def checking(
    plans: list[CheckPlan],
    questions: Questions = NAMES,
    also: Callable[[Check], None] = lambda _check: None,
) -> AsyncIterator[Run]:
    clock, checks = Time(), list[Check]()

    def post(check: Check) -> None:
        checks.append(check)
        also(check)

    checker = Checker(plans, questions, post, clock, clock.sleep)
    task = asyncio.create_task(checker.run())
    try:
        yield Run(checker, clock, checks)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def plan(uplink: str = "ftth", interface: str = "e9", every_s: float = 300.0) -> CheckPlan:
    return CheckPlan(uplink, interface, (TARGET,), every_s)


@pytest.fixture
def nowhere() -> object:
    namespace = Namespace("nowhere")
    yield namespace
    namespace.close()


# --- the timetable ----------------------------------------------------------------------------------------


def test_uplinks_are_checked_apart_and_seldom(nowhere: Namespace) -> None:
    """Each at its own place from the start, the metered one more seldom."""

    async def story() -> None:
        async with checking([plan("ftth"), plan("dish"), plan("4g", every_s=1800.0)]) as run:
            await run.time.go(1000.0)
            assert run.runs("ftth") == [FIRST_S + 300.0 * turn for turn in range(4)]
            assert run.runs("dish") == [FIRST_S + APART_S + 300.0 * turn for turn in range(4)]
            assert run.runs("4g") == [FIRST_S + 2 * APART_S]
            await run.time.go(2000.0)
            assert run.runs("4g") == [FIRST_S + 2 * APART_S, FIRST_S + 2 * APART_S + 1800.0]

    play(nowhere, story)


def test_every_question_gets_its_word_even_unasked(nowhere: Namespace) -> None:
    """Nothing could be sent, and that is what is said."""

    async def story() -> None:
        async with checking([plan()], EVERYTHING) as run:
            await run.time.go(6.0)
            assert [(check.asked, check.subject, check.said) for check in run.checks] == [
                (Asked.NAME, f"dns.google@{TARGET}", Said.UNSENT),
                (Asked.WEB, "http://example.net/204", Said.UNSENT),
            ]
            assert run.checks[0].detail == "no_interface: No such device"
            assert run.checks[1].detail == "no name server gives its address"

    play(nowhere, story)


def test_who_asks_is_answered_at_once_but_not_all_the_time(nowhere: Namespace) -> None:
    """Only for the uplink that is in doubt; a stranger's name changes nothing."""

    async def story() -> None:
        async with checking([plan("ftth"), plan("4g")]) as run:
            run.checker.ask_more("ftth")
            run.checker.ask_more("adsl")
            await run.time.go(1.0)
            assert (run.runs("ftth"), run.runs("4g")) == ([0.0], [])
            for _ in range(30):
                run.checker.ask_more("ftth")
                await run.time.go(0.5)
            assert run.runs("ftth") == [0.0, 5.0, 10.0, 15.0]
            assert run.runs("4g") == [15.0]

    play(nowhere, story)


# --- the interface ----------------------------------------------------------------------------------------


def test_a_new_way_out_is_checked_at_once(nowhere: Namespace) -> None:
    """When the interface comes, and when its address or its gateway changes; not when it goes."""

    async def story() -> None:
        def link(**changes: object) -> Link:
            told = {"carrier": True, "address": "10.0.0.2", "gateway": "10.0.0.1", **changes}
            return Link("ftth", present=True, **told)  # type: ignore[arg-type]

        async with checking([plan()]) as run:
            run.checker.link_changed(Link("ftth", present=False))
            run.checker.link_changed(Link("adsl", present=False))
            await run.time.go(100.0)
            assert run.runs("ftth") == [5.0]
            assert run.checks[-1].detail == "no_interface"
            run.checker.link_changed(link())
            await run.time.go(100.0)
            assert run.runs("ftth") == [5.0, 100.0]
            run.checker.link_changed(link())
            run.checker.link_changed(link(carrier=False))
            await run.time.go(50.0)
            assert run.runs("ftth") == [5.0, 100.0]
            run.checker.link_changed(link(address="10.0.0.3"))
            await run.time.go(10.0)
            run.checker.link_changed(link(address="10.0.0.3", gateway="10.0.0.9"))
            await run.time.go(10.0)
            assert run.runs("ftth")[2:] == [250.0, 260.0]

    play(nowhere, story)


@pytest.mark.parametrize(
    ("link", "why"),
    [
        (Link("ftth", present=False), "no_interface"),
        (Link("ftth", present=True, carrier=False, address="10.0.0.2", gateway="10.0.0.1"), "no_carrier"),
        (Link("ftth", present=True, carrier=True, gateway="10.0.0.1"), "no_address"),
        (Link("ftth", present=True, carrier=True, address="10.0.0.2"), "no_route"),
    ],
)
def test_what_the_kernel_would_drop_is_not_sent(link: Link, why: str) -> None:
    """Without carrier, address or route it takes a packet and says nothing; that would look like silence."""
    with site_with(1) as site:

        async def story() -> None:
            oracle = NameOracle(site.boxes[0], TARGET, lambda *_: None)
            async with checking([plan(interface="e0")], EVERYTHING) as run:
                run.checker.link_changed(link)
                await run.time.go(6.0)
                assert [(check.said, check.detail) for check in run.checks] == [(Said.UNSENT, why)] * 2
            assert oracle.asked == []
            oracle.close()

        play(site.pi, story)


# --- one run at a time, and the end of it -----------------------------------------------------------------


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_run_under_way_is_not_overtaken(site: Site) -> None:
    """Whoever asks meanwhile gets a run of their own, after it."""

    async def story() -> None:
        oracle = NameOracle(site.boxes[0], TARGET, lambda *_: None)
        async with checking([plan(interface="e0")]) as run:
            await run.time.go(FIRST_S)
            await heard(oracle, 1)
            run.checker.ask_more("ftth")
            await run.time.go(60.0)
            assert len({question[:2] for question in oracle.asked}) == 1
            assert run.checks == []
        oracle.close()

    play(site.pi, story)


def test_a_page_is_never_looked_for_at_this_machine(site: Site) -> None:
    """Who blocks a name gives it an address of nobody; the next name server may know better."""

    async def story() -> None:
        for lie in ("0.0.0.0", "127.0.0.1"):
            blocking = NameOracle(
                site.boxes[0], TARGET, lambda query, reply, lie=lie: reply(dns_reply(query, lie))
            )
            honest = NameOracle(site.boxes[0], OTHER, lambda query, reply: reply(dns_reply(query, PUBLIC)))
            web = WebOracle(site.boxes[0], PUBLIC, says(b"HTTP/1.1 204 No Content\r\n\r\n"))
            checks: list[Check] = []
            asked = Questions((), (TARGET, OTHER), (Page("example.net", "/204"),), Patience(2.0, 2.0, 0.1))
            await Inquiry(plan(interface="e0"), asked, checks.append, time.monotonic).ask_all()
            assert [(check.asked, check.said, check.by) for check in checks] == [
                (Asked.WEB, Said.WELL, PUBLIC)
            ]
            assert len(blocking.asked) == len(honest.asked) == 1
            blocking.close()
            honest.close()
            await web.close()

    play(site.pi, story)


async def heard(oracle: NameOracle, questions: int) -> None:
    async with asyncio.timeout(10.0):
        while len(oracle.asked) < questions:
            await asyncio.sleep(0.001)


def test_a_run_ends_when_its_way_is_gone(site: Site) -> None:
    """Its answers would say nothing about the new way, which is asked anew; no socket is left behind."""

    async def story() -> None:
        oracle = NameOracle(site.boxes[0], TARGET, lambda *_: None)
        before = descriptors()
        async with checking([plan(interface="e0")]) as run:
            told = Link("ftth", present=True, carrier=True, address="192.168.1.2", gateway=TARGET)
            run.checker.link_changed(told)
            await run.time.go(FIRST_S)
            await heard(oracle, 1)
            run.checker.link_changed(Link("ftth", present=False))
            await settle()
            assert descriptors() == before
            await run.time.go(30.0)
            assert run.checks == []
            run.checker.link_changed(told)
            await run.time.go(1.0)
            await heard(oracle, 2)
        assert descriptors() == before
        oracle.close()

    play(site.pi, story)


def test_stopping_ends_a_run_under_way_at_once(site: Site) -> None:
    """Nobody waits for answers that nobody will read; no socket is left behind."""

    async def story() -> None:
        oracle = NameOracle(site.boxes[0], TARGET, lambda *_: None)
        before, clock = descriptors(), Time()
        task = asyncio.create_task(Checker([plan(interface="e0")], NAMES, print, clock, clock.sleep).run())
        await clock.go(FIRST_S)
        await heard(oracle, 1)
        task.cancel()
        await settle()
        assert task.cancelled()
        assert descriptors() == before
        oracle.close()

    play(site.pi, story)


def test_a_defect_ends_the_checker_visibly_and_it_can_be_run_again(nowhere: Namespace) -> None:
    """What is wrong is not swallowed, and whoever supervises may start it anew."""

    async def story() -> None:
        clock, checks = Time(), list[Check]()

        def post(check: Check) -> None:
            checks.append(check)
            if len(checks) == 1:
                raise ZeroDivisionError

        checker = Checker([plan("ftth"), plan("4g")], NAMES, post, clock, clock.sleep)
        task = asyncio.create_task(checker.run())
        await clock.go(6.0)
        with pytest.raises(ExceptionGroup) as caught:
            await task
        assert caught.value.subgroup(ZeroDivisionError)
        checker.ask_more("4g")
        task = asyncio.create_task(checker.run())
        await clock.go(20.0)
        assert {check.uplink for check in checks[1:]} == {"4g"}
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    play(nowhere, story)
