"""The limits of text messages held against random nights: outages, refusals, silences, restarts, clocks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core import texting
from agent.core.codes import Code
from agent.core.devices import DeviceKind, DeviceSpec, Registration, Says
from agent.core.durable import Durable
from agent.core.instant import Now, stamp
from agent.core.letters import Fate, SendText, TextCode, Texting, TextReport
from agent.core.model import OpenIncident
from agent.core.out import Out
from agent.core.saves import SaveTexting
from agent.core.site import Site, UplinkKind, UplinkSpec
from agent.core.snapshot_types import Health
from agent.core.state import State, evolved, initial

NUMBERS = ("+33612345678", "+33698765432")
MODEM = DeviceSpec("stick", "Modem", DeviceKind.MODEM, sms_to=NUMBERS)
SITE = Site("garage", "Garage", (UplinkSpec("4g", "4G", UplinkKind.CELLULAR, ("1.1.1.1",), device=MODEM),))
WALL = 1_800_000_000.0
STEP_S = 20.0


@dataclass
class Night:
    """Time passes in steps; what the core orders happens at once, or never."""

    memory: Texting | None = field(default_factory=Texting)
    t: float = 100_000.0
    booted_at: float = 0.0
    boots: int = 0
    runs: int = 0
    synced: bool = True
    incidents: int = 0
    fate: Fate = Fate.SENT
    heard: bool = True
    """The core hears what becomes of its orders."""
    audible: bool = True
    incident: OpenIncident | None = None
    sent: list[tuple[float, SendText]] = field(default_factory=list)
    """What left, or may have left for all that the core knows."""
    tries: list[SendText] = field(default_factory=list)
    state: State = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def now(self) -> Now:
        return Now(self.t - self.booted_at, WALL + self.t, self.synced, f"boot{self.boots}")

    def start(self) -> None:
        self.runs += 1
        durable = Durable(texting=self.memory, incident=self.incident)
        state = initial(SITE, durable, self.now(), f"run{self.runs}")
        self.state = evolved(state, warm=True)

    def look(self, *, works: bool) -> None:
        now = self.now()
        uplink = self.state.uplinks["4g"]
        health = Health.UP if works else Health.DOWN
        broke_at = None if works else uplink.broke_at if uplink.broke_at is not None else now.mono
        registration = Registration.HOME if self.audible else Registration.SEARCHING
        says = Says("4g", heard=True, registration=registration)
        uplink = evolved(uplink, health=health, broke_at=broke_at, heard_at=now.mono, says=says)
        uplink = evolved(uplink, says_at=now.mono)
        if works:
            self.incident = None
        elif self.incident is None:
            self.incidents += 1
            name = f"incident{self.incidents}"
            self.incident = OpenIncident(name, stamp(now), Code.EVERYTHING_DOWN, "garage")
        worked_at = now.mono if works else self.state.worked_at
        self.state = evolved(self.state, uplinks={"4g": uplink}, incident=self.incident, worked_at=worked_at)
        out = Out()
        self.state = texting.update(self.state, now, out)
        self.act(out)

    def act(self, out: Out) -> None:
        reports = Out()
        for action in out.actions:
            if isinstance(action, SaveTexting | SendText):
                self.memory = action.memory
            if isinstance(action, SendText):
                self.tries.append(action)
                if self.fate is not Fate.REFUSED or not self.heard:
                    self.sent.append((self.t, action))
                if self.heard:
                    self.state = texting.reported(self.state, TextReport(action.order, self.fate), reports)
        if reports.actions:
            self.act(reports)

    def play(self, seconds: float, *, works: bool) -> None:
        begin, end = self.t, self.t + seconds
        while self.t < end:
            self.look(works=works)
            # Every edge of the rules lies in the first quarter of an hour, or is no matter of a minute.
            self.t += STEP_S if self.t - begin < 900.0 else 5 * STEP_S


nights = st.lists(
    st.fixed_dictionaries(
        {
            "out_s": st.sampled_from([60.0, 140.0, 400.0, 1500.0, 9000.0]),
            "back_s": st.sampled_from([40.0, 140.0, 400.0, 3000.0]),
            "fate": st.sampled_from([Fate.SENT, Fate.SENT, Fate.UNKNOWN, Fate.REFUSED]),
            "heard": st.sampled_from([True, True, False]),
            "audible": st.sampled_from([True, True, True, False]),
            "restart": st.sampled_from(["no", "no", "agent", "machine", "machine without a clock"]),
            "in_outage": st.booleans(),
        }
    ),
    min_size=1,
    max_size=10,
)


def restart(night: Night, kind: str) -> None:
    if kind == "no":
        return
    if kind.startswith("machine"):
        night.boots += 1
        night.t += 30.0
        night.booted_at = night.t
        night.synced = kind == "machine"
    night.start()


def play(night: Night, pieces: list[dict[str, object]]) -> None:
    for piece in pieces:
        night.fate, night.heard, night.audible = piece["fate"], piece["heard"], piece["audible"]  # type: ignore[assignment]
        out_s, back_s = float(piece["out_s"]), float(piece["back_s"])  # type: ignore[arg-type]
        night.play(out_s / 2, works=False)
        if piece["in_outage"]:
            restart(night, str(piece["restart"]))
        night.play(out_s / 2, works=False)
        if not piece["in_outage"]:
            restart(night, str(piece["restart"]))
        night.play(back_s, works=True)


@settings(max_examples=200, deadline=None)
@given(pieces=nights)
def test_no_night_sends_more_than_allowed(pieces: list[dict[str, object]]) -> None:
    """Six in any 24 hours, ten minutes between two beginnings, no beginning before the end of the last."""
    night = Night()
    play(night, pieces)
    for number in NUMBERS:
        mine = [(t, order) for t, order in night.sent if order.number == number]
        for t, _ in mine:
            assert sum(1 for other, _ in mine if t <= other < t + 86_400.0) <= 6
        openings = [t for t, order in mine if order.code is not TextCode.BACK]
        assert all(later - earlier >= 600.0 for earlier, later in pairwise(openings))
        codes = [order.code for _, order in mine]
        assert codes[:1] in ([], [TextCode.NO_INTERNET]), "an end without a beginning"
        assert TextCode.BACK not in {
            later for earlier, later in pairwise(codes) if earlier is TextCode.BACK
        }, "an end twice"


@settings(max_examples=100, deadline=None)
@given(pieces=nights)
def test_no_order_is_given_more_than_three_times(pieces: list[dict[str, object]]) -> None:
    """Whatever is refused: each message is tried three times at most, under a new name each time."""
    night = Night()
    play(night, [{**piece, "fate": Fate.REFUSED, "restart": "no"} for piece in pieces])
    assert len({order.order for order in night.tries}) == len(night.tries)
    for number in NUMBERS:
        outages: dict[tuple[str, TextCode], int] = {}
        for order in night.tries:
            if order.number == number:
                letter = next(one for one in order.memory.letters if one.order == order.order)
                told = letter.incident, letter.code
                outages[told] = outages.get(told, 0) + 1
        assert all(count <= 3 for count in outages.values())


@settings(max_examples=100, deadline=None)
@given(pieces=nights)
def test_after_a_lost_memory_one_outage_at_most_is_told_in_a_day(pieces: list[dict[str, object]]) -> None:
    """Over all restarts that follow."""
    night = Night(memory=None)
    begin = night.t
    play(night, pieces)
    for number in NUMBERS:
        first_day = [t for t, order in night.sent if order.number == number and t - begin < 86_400.0]
        assert len(first_day) <= 2


def test_an_outage_that_lasts_is_told_to_everybody() -> None:
    """The night that hypothesis plays can send: its limits are not held by silence."""
    night = Night()
    night.play(600.0, works=True)
    night.play(600.0, works=False)
    night.play(600.0, works=True)
    assert [(order.number, order.code) for _, order in night.sent] == [
        (number, code) for code in (TextCode.NO_INTERNET, TextCode.BACK) for number in NUMBERS
    ]
    assert night.memory is not None
    assert replace(night.memory, letters=()) == Texting()
