"""Questions for names through real kernels: what each kind of answer means, and which way they take."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from check_bay import NameOracle, dns_reply
from probe_bay import OTHER, TARGET, Site, play, site_with

from agent.core.inquiries import Said
from agent.probes import names
from agent.probes.dns_message import Answer, encode_query, labels_of
from agent.probes.names import Named, ask_name, judge
from agent.probes.way import Way
from hardware.virtual.netns import Namespace

pytestmark = pytest.mark.bay
NAME = "dns.google"
WAY = Way("way0", "e0")
BOX = "192.168.1.1"
Answering = Callable[[bytes, Callable[[bytes], None]], None]


def ask(
    site: Site, answer: Answering | None, way: Way = WAY, server: str = TARGET, timeout_s: float = 2.0
) -> tuple[Named, list[bytes]]:
    """One question to a server that answers so, or to none; what came of it, and what the server heard."""
    found: list[Named] = []
    asked: list[bytes] = []

    async def story() -> None:
        oracle = None if answer is None else NameOracle(site.boxes[0], server, answer)
        found.append(await ask_name(way, server, NAME, time.monotonic, timeout_s))
        if oracle is not None:
            asked.extend(oracle.asked)
            oracle.close()

    play(site.pi, story)
    return found[0], asked


def test_an_honest_answer_is_well(site: Site) -> None:
    """With the addresses, whoever answered, and how long it took."""
    named, asked = ask(site, lambda query, reply: reply(dns_reply(query, "8.8.8.8", "8.8.4.4")))
    assert (named.said, named.by, named.addresses) == (Said.WELL, TARGET, ("8.8.8.8", "8.8.4.4"))
    assert named.took_ms is not None
    assert named.detail == "8.8.8.8 8.8.4.4"
    assert len(asked) == 1


def test_no_two_questions_bear_the_same_marks(site: Site) -> None:
    """Number and port change each time, so that nobody can answer in advance."""
    marks = set()
    for _ in range(8):
        _, asked = ask(site, lambda query, reply: reply(dns_reply(query, "8.8.8.8")))
        marks.add(asked[0][:2])
    assert len(marks) > 4


@pytest.mark.parametrize(
    ("addresses", "code", "said", "detail"),
    [
        ((BOX,), 0, Said.WRONG, BOX),
        (("8.8.8.8", "10.0.0.1"), 0, Said.WRONG, "8.8.8.8 10.0.0.1"),
        (("100.64.0.1",), 0, Said.WRONG, "100.64.0.1"),
        (("0.0.0.0",), 0, Said.WRONG, "0.0.0.0"),
        (("127.0.0.1",), 0, Said.WRONG, "127.0.0.1"),
        ((), 0, Said.WRONG, "no address"),
        ((), 3, Said.WRONG, "says that the name does not exist"),
        ((), 2, Said.REFUSED, "SERVFAIL"),
        ((), 5, Said.REFUSED, "REFUSED"),
        ((), 11, Said.REFUSED, "code 11"),
    ],
)
def test_every_answer_has_its_judgement(
    site: Site, addresses: tuple[str, ...], code: int, said: Said, detail: str
) -> None:
    """Lies and ignorance are wrong; a server that says that it cannot is no liar."""
    named, _ = ask(site, lambda query, reply: reply(dns_reply(query, *addresses, code=code)))
    assert (named.said, named.detail, named.by) == (said, detail, TARGET)


def test_a_cut_answer_without_addresses_is_no_lie() -> None:
    """It does not fit into a datagram, which says nothing about the name."""
    assert judge(Answer(1, 0, True, labels_of(NAME), ())) == (Said.REFUSED, "truncated")
    assert judge(Answer(1, 0, True, labels_of(NAME), ("8.8.8.8",)))[0] is Said.WELL


def test_no_answer_is_silence(site: Site) -> None:
    """The server hears the question and says nothing; the wait ends."""
    named, asked = ask(site, lambda _query, _reply: None, timeout_s=0.2)
    assert named == Named(Said.SILENT, detail="no answer")
    assert len(asked) == 1


def test_a_lost_question_is_asked_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same question, so that the answer to either counts."""
    monkeypatch.setattr(names, "AGAIN_S", 0.05)
    heard: list[bytes] = []

    def late(query: bytes, reply: Callable[[bytes], None]) -> None:
        heard.append(query)
        if len(heard) == 3:
            reply(dns_reply(query, "8.8.8.8"))

    named, asked = ask(site, late)
    assert named.said is Said.WELL
    assert len(asked) >= 3
    assert len(set(asked)) == 1


def test_an_answer_from_another_address_does_not_count(site: Site) -> None:
    """Nor does its truth: only the server that was asked is believed."""

    async def story() -> None:
        stranger = NameOracle(site.boxes[0], OTHER, lambda *_: None)
        oracle = NameOracle(site.boxes[0], TARGET, lambda *_: None)
        asking = asyncio.create_task(ask_name(WAY, TARGET, NAME, time.monotonic, 0.5))
        while not oracle.clients:
            await asyncio.sleep(0.001)
        stranger.say(dns_reply(oracle.asked[0], "8.8.8.8"), oracle.clients[0])
        assert await asking == Named(Said.SILENT, detail="no answer")
        oracle.close()
        stranger.close()

    play(site.pi, story)


def wrong_number(query: bytes, reply: Callable[[bytes], None]) -> None:
    reply(dns_reply(query, "8.8.8.8", ident=(query[0] << 8 | query[1]) ^ 1))


def other_question(query: bytes, reply: Callable[[bytes], None]) -> None:
    reply(dns_reply(query[:12] + encode_query(0, "other.net")[12:], "8.8.8.8"))


def garbage(_query: bytes, reply: Callable[[bytes], None]) -> None:
    for length in (0, 1, 11, 12, 500, 1400):
        reply(secrets.token_bytes(length))


def echo(query: bytes, reply: Callable[[bytes], None]) -> None:
    reply(query)


@pytest.mark.parametrize("answer", [wrong_number, other_question, garbage, echo])
def test_what_is_no_answer_is_passed_over(site: Site, answer: Answering) -> None:
    """Wrong number, wrong question, noise, our own words: the right answer behind them still counts."""
    named, _ = ask(site, answer, timeout_s=0.2)
    assert named.said is Said.SILENT
    assert "no answer to it" in named.detail

    def then_honest(query: bytes, reply: Callable[[bytes], None]) -> None:
        answer(query, reply)
        reply(dns_reply(query, "8.8.8.8"))

    assert ask(site, then_honest)[0].said is Said.WELL


def test_a_flood_does_not_hold_the_event_loop(site: Site) -> None:
    """Between two datagrams that are no answer everybody else has a turn."""

    async def story() -> None:
        turns = poured_at = 0

        async def other_work() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        def pour(query: bytes, reply: Callable[[bytes], None]) -> None:
            nonlocal poured_at
            poured_at = turns
            for _ in range(100):
                reply(query)
            reply(dns_reply(query, "8.8.8.8"))

        oracle = NameOracle(site.boxes[0], TARGET, pour)
        working = asyncio.create_task(other_work())
        named = await ask_name(WAY, TARGET, NAME, time.monotonic, 2.0)
        assert named.said is Said.WELL
        assert turns - poured_at >= 100
        working.cancel()
        oracle.close()

    play(site.pi, story)


# --- refusals, and what never left ------------------------------------------------------------------------


def test_a_closed_port_is_a_refusal_by_the_server(site: Site) -> None:
    """The machine is there, its name server is not."""
    named, _ = ask(site, None)
    assert (named.said, named.by) == (Said.REFUSED, TARGET)
    assert "ICMP error" in named.detail


def test_a_router_that_refuses_is_named(site: Site) -> None:
    """The box has no way to the server and says so."""
    site.boxes[0].ip("route add unreachable 10.1.1.1")
    named, _ = ask(site, None, server="10.1.1.1")
    assert (named.said, named.by) == (Said.REFUSED, BOX)


def test_nobody_at_the_next_hop_is_silence(site: Site) -> None:
    """The question waits for a hardware address that never comes."""
    site.pi.ip("route replace default via 192.168.1.77 dev e0 metric 100")
    named, _ = ask(site, None, timeout_s=0.3)
    assert named == Named(Said.SILENT, detail="no answer")


@pytest.mark.parametrize(
    ("way", "server", "detail"),
    [
        (Way("x", "e9"), TARGET, "no_interface: No such device"),
        (Way("x", "e0" * 20), TARGET, "no_interface: no interface can be named"),
        (Way("x", "e0", "10.20.30.40"), TARGET, "no_address: Cannot assign requested address"),
        (Way("x", "e1"), TARGET, "no_route: Network is unreachable"),
        (Way("x", "e0"), "255.255.255.255", "forbidden: Permission denied"),
    ],
)
def test_what_did_not_leave_says_nothing(site: Site, way: Way, server: str, detail: str) -> None:
    """A local fault is never taken for one of the uplink."""
    site.pi.ip("link add e1 type veth peer name e2")
    named, _ = ask(site, None, way=way, server=server)
    assert named.said is Said.UNSENT
    assert named.detail.startswith(detail)
    assert named.took_ms is None


# --- the way ----------------------------------------------------------------------------------------------


def datagrams(namespace: Namespace) -> int:
    """UDP datagrams that a namespace has received, whether anybody wanted them or not."""
    with namespace.entered():
        lines = Path("/proc/thread-self/net/snmp").read_text().splitlines()
    counts, values = (line.split() for line in lines if line.startswith("Udp:"))
    return int(values[counts.index("InDatagrams")]) + int(values[counts.index("NoPorts")])


def test_a_question_never_leaves_by_another_uplink() -> None:
    """Uplink 1 is dead, uplink 0 is well and has the better route and the same server."""
    with site_with(2) as two:
        two.pi.sysctl("ipv4/conf/all/rp_filter", "2")
        two.pi.ip("addr flush dev e1", "addr add 192.168.1.3/24 dev e1")
        two.pi.ip(f"route add default via {BOX} dev e1 metric 101")

        async def story() -> None:
            oracles = [
                NameOracle(box, TARGET, lambda query, reply: reply(dns_reply(query, "8.8.8.8")))
                for box in two.boxes
            ]
            assert (await ask_name(Way("way1", "e1"), TARGET, NAME, time.monotonic, 2.0)).said is Said.WELL
            assert [len(oracle.asked) for oracle in oracles] == [0, 1]
            two.boxes[1].ip("link set lan down")
            named = await ask_name(Way("way1", "e1"), TARGET, NAME, time.monotonic, 0.5)
            assert named.said in (Said.SILENT, Said.UNSENT)
            assert [len(oracle.asked) for oracle in oracles] == [0, 1]
            assert (await ask_name(Way("way0", "e0"), TARGET, NAME, time.monotonic, 2.0)).said is Said.WELL
            for oracle in oracles:
                oracle.close()

        play(two.pi, story)
        assert datagrams(two.boxes[0]) == 1
