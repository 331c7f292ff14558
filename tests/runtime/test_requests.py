"""A person's request all the way: socket, core, store, relay, and back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from office import BOX, Office, play

from agent.cli.control_client import RefusedError
from agent.core.people import Answer, Request, Verb
from agent.core.snapshot_types import Phase
from agent.runtime import desk
from agent.runtime.desk import Desk
from agent.runtime.store import Store


def test_a_forced_cycle_is_written_cut_and_restored(tmp_path: Path) -> None:
    """The coil does what was asked for, and the memory on the disk says who asked."""

    async def body(office: Office) -> None:
        answer = await office.ask(do="cycle", box=BOX, by="Anne", force=True)
        assert answer == {"ok": True, "reason": None, "for_s": None, "order": "run-1"}
        await office.until(Phase.CUT)
        assert office.coils[BOX].energised
        other = await office.ask(do="cycle", box="box-fibre2", force=True)
        assert (other["ok"], other["reason"]) == (False, "other_box")
        assert other["for_s"] > 0
        await office.until(Phase.BOOTING)
        assert not office.coils[BOX].energised

    office = play(tmp_path, body)
    assert office.coils["box-fibre2"].history == []
    memory = json.loads((tmp_path / "state" / "cycles.json").read_text())["memory"]
    assert [(cycle["by"], cycle["forced"], cycle["order"]) for cycle in memory["cycles"]] == [
        ("Anne", True, "run-1")
    ]
    again = Store.open(tmp_path / "state", office.clock.now())
    (cycle,) = again.load(office.clock.now()).cycles or ()
    again.close()
    assert (cycle.by, cycle.forced) == ("Anne", True)


def test_the_power_comes_back_when_it_is_asked_for(tmp_path: Path) -> None:
    """Before the cut would have ended."""

    async def body(office: Office) -> None:
        await office.ask(do="cycle", box=BOX, force=True)
        await office.until(Phase.CUT)
        assert (await office.ask(do="restore", box=BOX))["ok"]
        await office.until(Phase.BOOTING)
        assert office.coils[BOX].history == [True, False]

    play(tmp_path, body)


def test_a_hold_is_set_and_refused_with_what_is_allowed(tmp_path: Path) -> None:
    """The panel shows it at once."""

    async def body(office: Office) -> None:
        assert (await office.ask(do="hold", for_s=90_000))["reason"] == "hold_length"
        assert (await office.ask(do="hold", for_s=600, by="Anne"))["for_s"] == pytest.approx(600, abs=0.2)
        assert office.board.latest is not None
        assert office.board.latest.unarmed_why == "hold"
        assert (await office.ask(do="release"))["ok"]
        assert office.board.latest.hold_until is None

    play(tmp_path, body)


def test_requests_are_recorded_like_everything_seen(tmp_path: Path) -> None:
    """So that a day can be replayed with what people did in it."""

    async def body(office: Office) -> None:
        await office.ask(do="hold", for_s=600, by="Anne")

    asked = [seen for seen in play(tmp_path, body).seen if isinstance(seen, Request)]
    assert asked == [Request("request-1", Verb.HOLD, None, 600.0, "Anne")]


def test_answers_go_to_whoever_asked(tmp_path: Path) -> None:
    """Many ask at once; each gets its own, and nobody that of an unknown request."""

    async def body(office: Office) -> None:
        asked = [office.ask(do="hold", for_s=number * 100) for number in range(1, 11)]
        answers = await asyncio.gather(*asked)
        assert [round(answer["for_s"], -2) for answer in answers] == [n * 100 for n in range(1, 11)]
        office.actuator.carry_out(Answer("request-999", ok=True))
        with pytest.raises(RefusedError, match="cycle, prove, restore, hold, release"):
            await office.ask(do="explode")

    play(tmp_path, body)


def test_answers_may_come_in_any_order() -> None:
    """Whoever asked first is not given what was asked for later; an answer that nobody awaits is dropped."""

    async def body() -> None:
        posted: list[Request] = []
        desk = Desk(lambda observation: posted.append(observation))  # type: ignore[arg-type]
        first = asyncio.create_task(desk.ask(Verb.CYCLE, "ont", by="Anne"))
        second = asyncio.create_task(desk.ask(Verb.RELEASE, by="Paul"))
        await asyncio.sleep(0)
        desk.answered(Answer("request-7", ok=True))
        desk.answered(Answer(posted[1].id, ok=True))
        assert (await second).ok
        assert not first.done()
        desk.answered(Answer(posted[0].id, ok=False, reason="works"))
        desk.answered(Answer(posted[0].id, ok=True))
        assert (await first).reason == "works"

    asyncio.run(body())


def test_a_request_without_an_answer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core answers in the same step, or never."""
    monkeypatch.setattr(desk, "ANSWER_S", 0.01)

    async def body() -> None:
        with pytest.raises(TimeoutError):
            await Desk(lambda _observation: None).ask(Verb.RELEASE)

    asyncio.run(body())
