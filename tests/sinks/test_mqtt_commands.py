"""Commands by MQTT: what is taken, what is refused and how, and that nothing is done twice."""

from __future__ import annotations

import asyncio
import json
import string
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mqtt_schemas import check_message, validator
from world import World, example_site

from agent.core.afar import AHEAD_S, PER_HOUR, PER_MINUTE
from agent.core.instant import Now
from agent.core.people import LONGEST_HOLD_S, Answer, Verb
from agent.core.snapshot_types import Phase, Snapshot
from agent.runtime import desk
from agent.runtime.seen import FILE, SeenCommands
from agent.sinks.mqtt.command_form import LONGEST_BYTES, Form, FormError, command_of, opened
from agent.sinks.mqtt.commands import ANSWER_S, REFUSALS, REFUSALS_S, Commands
from agent.sinks.mqtt.words import table

ROOT = Path(__file__).parents[2]
ID = "4f1c-7"


async def at_once(call: Callable[..., Any], *args: object) -> Any:
    return call(*args)


def instant(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Site:
    """The real core in a simulated bay, with the real memory of commands on a real disk."""

    def __init__(self, folder: Path, world: World | None = None) -> None:
        self.shots: list[Snapshot] = []
        self.world = world or World(
            example_site(boxes=("ftth", "fibre2")), show=lambda _t, shot: self.shots.append(shot)
        )
        self.folder = folder
        self.asked: list[tuple[Any, ...]] = []
        self.afresh = 0
        self.synced = True
        self.late = False
        self.ahead_s = 0.0
        self.begin()

    def begin(self, call: Callable[..., Awaitable[Any]] = at_once) -> None:
        """The agent starts (again)."""
        memory = asyncio.run(SeenCommands.open(self.folder, call))
        self.commands = Commands(self.ask, memory, self.now, self.latest, self.refresh)

    async def ask(self, verb: Verb, box: str | None, for_s: float | None, by: str) -> Answer:
        self.asked.append((verb, box, for_s, by))
        if self.late:
            raise TimeoutError
        return self.world.ask(verb, box, for_s, by)

    def now(self) -> Now:
        now, more_s = self.world.now(), self.ahead_s
        return replace(now, mono=now.mono + more_s, wall=now.wall + more_s, synced=self.synced)

    def wait(self, seconds: float) -> None:
        """Time passes on this side of the core, where nothing else happens meanwhile."""
        self.ahead_s += seconds

    def latest(self) -> Snapshot | None:
        return self.shots[-1] if self.shots else None

    def refresh(self) -> None:
        self.afresh += 1

    def raw(self, verb: str, payload: bytes, *, retained: bool = False) -> dict[str, Any] | None:
        answer = asyncio.run(self.commands.take(verb, payload, retained=retained))
        if answer is None:
            return None
        check_message("vigie/garage/command/result", answer)
        return json.loads(answer)

    def send(self, verb: str, name: str = ID, ahead_s: float = 60.0, **more: object) -> dict[str, Any]:
        body = {"id": name, "expires": instant(self.now().wall + ahead_s), **more}
        body = {key: value for key, value in body.items() if value is not ...}
        answer = self.raw(verb, json.dumps(body).encode())
        assert answer is not None
        return answer


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.world.play(120)
    return site


# --- what is done ----------------------------------------------------------------------------------------


def test_a_cycle_is_begun_by_the_core_and_told_with_its_order(site):
    """A box whose uplink is down is restarted; the order is the one that the core gave."""
    site.world.change("ftth", hung=True)
    site.world.play(30)
    answer = site.send("cycle", box="box-ftth", by="Anne")
    assert (answer["ok"], answer["id"], answer["verb"], answer["reason"]) == (True, ID, "cycle", None)
    (cycle,) = site.world.state.cycles
    assert (answer["order"], cycle.by, cycle.forced) == (cycle.order, "mqtt:Anne", False)
    assert answer["text"]["fr"] == "Box ftth : le redémarrage commence."


def test_the_rules_of_power_hold_for_commands_too(site):
    """The last way that works, or one in use: the core's reason comes back, in words."""
    answer = site.send("cycle", box="box-ftth")
    assert (answer["ok"], answer["reason"], answer["order"]) == (False, "works", None)
    assert answer["text"] == {"fr": "Refusé : cet accès marche.", "en": "Refused: this connection works."}
    assert site.asked == [(Verb.CYCLE, "box-ftth", None, "mqtt")]
    assert not site.world.state.cycles


def test_a_refusal_that_ends_says_when(site):
    """Until when in UTC, and how long that is in words."""
    site.send("hold", "a", for_s=600)
    site.world.change("ftth", hung=True)
    site.world.play(30)
    answer = site.send("cycle", "b", box="box-ftth")
    assert answer["reason"] == "hold"
    assert answer["until"] == instant(site.now().wall + 570)
    assert answer["text"]["en"].endswith("Possible in 9 min 30 s.")


def test_force_is_never_taken(site):
    """Not even false: it is no key here, and the answer says why."""
    for name, force in (("a", True), ("b", False)):
        answer = site.send("cycle", name, box="box-ftth", force=force)
        assert answer["reason"] == "malformed"
        assert "beside the box" in answer["text"]["en"]
    assert site.asked == []


def test_a_hold_begins_and_ends(site):
    """With its end; a hold of no seconds is its release, for switches that have one topic only."""
    answer = site.send("hold", "a", for_s=1800, by="ha")
    assert (answer["ok"], answer["until"]) == (True, instant(site.now().wall + 1800))
    assert answer["text"]["en"] == "No automatic restarts for 30 min."
    assert site.send("release", "b")["ok"]
    assert site.world.state.hold_until is None
    site.send("hold", "c")
    assert site.world.state.hold_until == pytest.approx(site.world.t + 3600)
    assert site.send("hold", "d", for_s=0)["ok"]
    assert site.world.state.hold_until is None
    assert [asked[0] for asked in site.asked] == [Verb.HOLD, Verb.RELEASE, Verb.HOLD, Verb.RELEASE]


def test_a_hold_is_bounded_by_the_core(site):
    """Longer than a day is refused with the core's reason."""
    answer = site.send("hold", for_s=LONGEST_HOLD_S + 1)
    assert (answer["ok"], answer["reason"]) == (False, "hold_length")


def test_a_report_publishes_everything_and_says_how_it_is(site):
    """A short summary in the answer, the rest on the topics."""
    answer = site.send("report")
    assert (answer["ok"], site.afresh) == (True, 1)
    assert answer["state"]["uplinks"] == {"ftth": "up", "fibre2": "up", "4g": "up"}
    assert answer["state"]["boxes"] == {"box-ftth": "powered", "box-fibre2": "powered"}
    assert answer["text"]["fr"].endswith("Tout marche.")
    assert site.asked == []


def test_an_unknown_box_is_answered_with_the_known_ones(site):
    """Names that are allowed are named."""
    answer = site.send("cycle", box="box-adsl")
    assert answer["reason"] == "no_box"
    assert "box-ftth, box-fibre2" in answer["text"]["en"]


def test_an_answer_that_does_not_come_says_what_that_means(site):
    """The order may still be carried out; nothing claims that it was not."""
    site.late = True
    answer = site.send("cycle", box="box-ftth")
    assert (answer["ok"], answer["reason"]) == (False, "no_answer")
    assert "may still be done" in answer["text"]["en"]
    site.late = False
    assert site.send("cycle", box="box-ftth")["reason"] == "replayed"


# --- what is refused before the core hears of it -----------------------------------------------------------


def test_what_cannot_be_judged_is_refused(site):
    """Kept by the broker, late, too far ahead, without a right clock, a verb that does not exist (yet)."""
    wall = site.now().wall
    body = json.dumps({"id": ID, "expires": instant(wall + 60)}).encode()
    retained = site.raw("hold", body, retained=True)
    assert retained is not None
    assert (retained["reason"], retained["id"]) == ("retained", ID)
    assert site.send("hold", ahead_s=-1)["reason"] == "expired"
    assert site.send("hold", ahead_s=AHEAD_S + 2)["reason"] == "too_far_ahead"
    for verb in ("drill", "audit", "Hold", "", "x" * 100, "\u2028"):
        answer = site.send(verb)
        assert answer["reason"] == "unknown_verb"
        assert "the commands are cycle, hold, release, report" in answer["text"]["en"]
    assert site.asked == []
    assert not (site.folder / FILE).exists()


def test_without_a_right_clock_nothing_is_taken(site):
    """Nobody can say whether the command is still wanted; once the clock is set, it is taken."""
    site.synced = False
    answer = site.send("hold")
    assert (answer["reason"], answer["clock"]) == ("clock", "unsynchronised")
    site.synced = True
    assert site.send("hold")["ok"]


MALFORMED = {
    "not JSON": (b"hold", "no JSON"),
    "not UTF-8": (b'{"id": "\xff"}', "no JSON"),
    "no object": (b'["id"]', "no JSON object"),
    "deep": (b"[" * 4000, "no JSON"),
    "no number": (b'{"id": "a", "for_s": NaN}', "no JSON"),
    "too big": (b" " * (LONGEST_BYTES + 1), "4097 bytes"),
    "twice": (b'{"id": "a", "id": "b"}', "id stands there twice"),
    "unknown key": (
        b'{"id": "a", "expires": "x", "bx": 1}',
        "bx is unknown; allowed: id, expires, by, for_s",
    ),
    "key missing": (b'{"id": "a"}', "expires is missing; allowed: id, expires, by, for_s"),
    "id": (b'{"id": 7, "expires": "2027-01-15T08:05:00Z"}', "id must be a text of 1 to 64"),
    "long id": (b'{"id": "%s", "expires": "2027-01-15T08:05:00Z"}' % (b"x" * 65), "id must be a text"),
    "instant": (b'{"id": "a", "expires": "2027-01-15T08:05:00+01:00"}', "expires must be an instant in UTC"),
    "no instant": (b'{"id": "a", "expires": "2027-02-30T08:05:00Z"}', "expires must be an instant in UTC"),
    "seconds": (b'{"id": "a", "expires": "2027-01-15T08:05:00Z", "for_s": true}', "for_s must be a number"),
    "many": (b'{"id": "a", "expires": "2027-01-15T08:05:00Z", "for_s": 1e400}', "for_s must be a number"),
}


def test_what_makes_no_sense_is_named_with_what_is_allowed(site):
    """Each mistake by its key; nothing of it reaches the core or the disk."""
    for payload, words in MALFORMED.values():
        site.wait(REFUSALS_S)
        answer = site.raw("hold", payload)
        assert answer is not None
        assert (answer["ok"], answer["reason"]) == (False, "malformed")
        assert words in answer["text"]["en"]
    assert site.asked == []
    assert not (site.folder / FILE).exists()


@given(st.binary(max_size=200) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b'{"id":"\\ud800","expires":"2027-01-15T08:05:00Z"}')
def test_any_bytes_are_a_command_or_a_form_error(payload):
    """Nothing else ever comes of what a stranger sends."""
    with pytest.raises(FormError):
        command_of(Form(), opened(payload))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["id", "expires", "by", "box", "for_s", "force", "x"])
VALUES = JSON | st.sampled_from(
    ["a", "2027-01-15T08:05:00Z", "2027-01-15t08:05:00.123456789z", "٢027-01-15T08:05:00Z", 60, 0]
)


@given(st.sampled_from(["cycle", "hold", "release"]), st.dictionaries(KEYS, VALUES, max_size=5))
@example("hold", {"id": "a", "expires": "2027-01-15T08:05:60Z"})
@example("hold", {"id": "a", "expires": "0001-01-01T00:00:00Z", "for_s": 10**30})
def test_what_is_taken_holds_to_the_schema(verb, content):
    """The published schema and the reader agree: what passes here is valid there."""
    forms = {"cycle": Form(needs=("box",)), "hold": Form(may=("for_s",)), "release": Form()}
    payload = json.dumps(content).encode()
    try:
        command = command_of(forms[verb], opened(payload))
    except FormError:
        return
    validator(f"command_{verb}").validate(content)
    assert command.name.isprintable()


# --- never twice -------------------------------------------------------------------------------------------


def test_an_id_counts_once_also_after_a_restart(site):
    """In the same run and in the next one, until the command has expired anyway."""
    assert site.send("hold")["ok"]
    assert site.send("hold")["reason"] == "replayed"
    assert site.send("release")["reason"] == "replayed"
    site.begin()
    assert site.send("hold", ahead_s=AHEAD_S)["reason"] == "replayed"
    assert len(site.asked) == 1


def test_a_clock_that_is_set_back_opens_nothing(site):
    """What ended before the latest command was taken may be forgotten, so it stays ended."""
    assert site.send("hold", "old", ahead_s=60)["ok"]
    site.wait(3700)
    assert site.send("hold", "new", ahead_s=60)["ok"]
    assert "old" not in (site.folder / FILE).read_text()
    now = site.now
    site.now = lambda: replace(now(), wall=now().wall - 3700)
    site.begin()
    assert site.send("hold", "old", ahead_s=60)["reason"] == "expired"


def test_it_is_on_the_disk_before_the_core_hears_of_it(site):
    """What cannot be written is not done; the same command is taken once it can."""
    seen = []
    ask = site.ask

    async def looking(*args: Any) -> Answer:
        seen.append(ID in (site.folder / FILE).read_text())
        return await ask(*args)

    site.ask = looking
    site.begin()
    aside = site.folder.rename(site.folder.with_name("aside"))
    answer = site.send("hold")
    assert (answer["reason"], seen) == ("unwritten", [])
    aside.rename(site.folder)
    assert site.send("hold")["ok"]
    assert seen == [True]


def test_two_of_the_same_at_once_are_one(site):
    """While the first is still being written, the second is a repeat already."""

    async def story() -> list[bytes | None]:
        async def slow(call: Callable[..., Any], *args: object) -> Any:
            await asyncio.sleep(0)
            return call(*args)

        memory = await SeenCommands.open(site.folder, slow)
        commands = Commands(site.ask, memory, site.now, site.latest, site.refresh)
        payload = json.dumps({"id": ID, "expires": instant(site.now().wall + 60)}).encode()
        return await asyncio.gather(*(commands.take("hold", payload, retained=False) for _ in range(3)))

    answers = [json.loads(answer or b"") for answer in asyncio.run(story())]
    assert sorted(str(answer["reason"]) for answer in answers) == ["None", "replayed", "replayed"]
    assert len(site.asked) == 1


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from signal import SIGKILL
sys.path[:0] = {paths!r}
from agent.core.instant import Now
from agent.runtime import desk
from agent.runtime.seen import SeenCommands
from agent.sinks.mqtt.commands import Commands
async def call(function, *args):
    return function(*args)
async def ask(*request):
    print("asked", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
async def main():
    memory = await SeenCommands.open(Path(sys.argv[1]), call)
    now = lambda: Now(100.0, 1_800_000_000.0, True, "a")
    commands = Commands(ask, memory, now, lambda: None, lambda: None)
    print((await commands.take("hold", sys.argv[2].encode(), retained=False)).decode())
asyncio.run(main())
"""


def test_a_kill_in_between_does_not_do_it_twice(tmp_path):
    """The first run dies by SIGKILL as the core is asked; the same message again is a repeat."""
    payload = json.dumps({"id": ID, "expires": instant(1_800_000_060)})
    code = KILLED.format(paths=[str(ROOT)])
    command = [sys.executable, "-c", code, str(tmp_path), payload]
    first = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (first.returncode, first.stdout) == (-SIGKILL, "asked\n")
    second = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(second.stdout)["reason"] == "replayed"


def test_a_damaged_memory_refuses_what_could_have_been_in_it(site):
    """For an hour; a command that ends later than that was not given before, and is taken at once."""
    site.send("hold", "a")
    text = (site.folder / FILE).read_text()
    (site.folder / FILE).write_text(text.replace('"a"', '"b"'))
    site.begin()
    answer = site.send("hold", "a", ahead_s=60)
    assert (answer["reason"], answer["until"]) == ("memory_lost", instant(site.now().wall + AHEAD_S))
    assert site.send("hold", "c", ahead_s=AHEAD_S)["reason"] == "memory_lost"
    site.wait(5)
    assert site.send("hold", "d", ahead_s=AHEAD_S)["ok"]
    site.begin()
    assert site.send("hold", "e", ahead_s=600)["reason"] == "memory_lost"
    site.wait(AHEAD_S)
    assert site.send("hold", "f", ahead_s=600)["ok"]


def test_a_damaged_memory_waits_for_the_clock(site):
    """The hour begins when the time is known, and not anew at each start."""
    (site.folder / FILE).write_text("{")
    site.begin()
    site.synced = False
    assert site.send("hold")["reason"] == "clock"
    site.synced = True
    site.wait(1800)
    assert site.send("hold")["until"] == instant(site.now().wall + AHEAD_S)
    site.wait(1800)
    site.begin()
    assert site.send("hold")["until"] == instant(site.now().wall + AHEAD_S - 1800)


def test_no_file_means_that_nothing_was_taken(site):
    """A site where commands were just allowed need not wait."""
    assert not (site.folder / FILE).exists()
    assert site.send("hold")["ok"]


# --- not too many ------------------------------------------------------------------------------------------


def test_more_than_people_need_is_refused(site):
    """Six a minute, thirty an hour, counted across restarts; the answer says when there is room."""
    for n in range(PER_MINUTE):
        assert site.send("hold", f"a{n}")["ok"]
        site.wait(1)
    answer = site.send("hold", "b")
    assert answer["reason"] == "rate"
    assert answer["until"] == instant(site.now().wall + 60 - PER_MINUTE)
    assert "6 a minute and 30 an hour" in answer["text"]["en"]
    for n in range(PER_HOUR - PER_MINUTE):
        site.wait(61)
        assert site.send("hold", f"c{n}")["ok"]
    site.wait(61)
    site.begin()
    assert site.send("hold", "d")["reason"] == "rate"
    assert len(site.asked) == PER_HOUR
    site.wait(3600)
    assert site.send("hold", "e")["ok"]
    assert len((site.folder / FILE).read_text()) < 500


def test_a_flood_is_not_answered_by_a_flood(site):
    """Ten refusals, one that says that there will be no more; what is right is answered all the same."""
    answers = [site.raw("hold", b"x") for _ in range(500)]
    said = [answer["reason"] for answer in answers if answer is not None]
    assert said == ["malformed"] * REFUSALS + ["flood"]
    assert site.send("hold")["ok"]
    site.wait(REFUSALS_S - 1)
    assert site.raw("hold", b"x") is None
    site.wait(REFUSALS_S)
    answer = site.raw("hold", b"x")
    assert answer is not None
    assert answer["reason"] == "malformed"


def test_a_failure_inside_is_an_answer(site):
    """The connection goes on for everybody else."""

    async def broken(*_request: object) -> Answer:
        raise RuntimeError("disk on fire")

    site.ask = broken
    site.begin()
    answer = site.send("hold")
    assert answer["reason"] == "failed"
    assert "fire" not in json.dumps(answer)


# --- words -------------------------------------------------------------------------------------------------


def test_every_entry_has_both_languages_and_the_same_holes():
    """What is said is said in French and English, with the same facts."""
    for key, entry in table().items():
        assert list(entry) == ["en", "fr"], key
        holes = [
            {hole for _, hole, _, _ in string.Formatter().parse(text) if hole} for text in entry.values()
        ]
        assert holes[0] == holes[1], key


def test_how_long_the_core_is_waited_for_is_said_as_it_is():
    """The words name the desk's own patience."""
    assert ANSWER_S == desk.ANSWER_S


def test_the_phases_of_a_report_are_those_of_the_schema():
    """A phase that is added must be told to the readers."""
    schema = json.loads((ROOT / "docs/schemas/command_result.json").read_text())
    boxes = schema["properties"]["state"]["properties"]["boxes"]
    assert boxes["additionalProperties"]["enum"] == [phase.value for phase in Phase]
