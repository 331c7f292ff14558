"""From evidence to the right name: every row of the table of faults, and what each allows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import World, example_site

from agent.core.codes import FINDINGS, Code, Cure
from agent.core.devices import Radio, Registration, Says, Sim
from agent.core.inquiries import Asked, Check, Said
from agent.core.model import AskMore, Observation
from agent.core.site import Site
from agent.core.state import State

pytestmark = pytest.mark.scenario  # hours of virtual time


CALM_S = 120.0


class Asking(World):
    """A site that answers more than echoes: what a question brings is set by the test."""

    def __init__(self, site: Site | None = None, **kwargs: object) -> None:
        self.brings: dict[str, list[tuple[Asked, str, Said]]] = {}
        self.asked: list[tuple[float, str]] = []
        super().__init__(site or example_site(), **kwargs)  # type: ignore[arg-type]

    def _hear(self, observation: Observation) -> None:
        """Nothing that the world's own questions bring; see ``brings``."""
        if not isinstance(observation, Check):
            super()._hear(observation)

    def _act(self, action: object) -> None:
        if isinstance(action, AskMore):
            self.asked.append((self.t, action.uplink))
            for asked, subject, said in self.brings.get(action.uplink, []):
                sent_at = self.t
                self.at(
                    self.t + 1.0,
                    lambda a=asked, s=subject, what=said, at=sent_at: self.feed(  # type: ignore[misc]
                        Check(action.uplink, a, s, at, what)
                    ),
                )
            return
        super()._act(action)  # type: ignore[arg-type]

    def every(self, seconds: float, observation: Observation) -> None:
        """Say the same again and again, from now on."""
        self.feed(observation)
        self.at(self.t + seconds, lambda: self.every(seconds, observation))


def calm(**kwargs: object) -> Asking:
    world = Asking(**kwargs)  # type: ignore[arg-type]
    world.play(CALM_S)
    world.events.clear()
    return world


def faults(world: World) -> set[Code]:
    return {code for code, subject in world.findings() if subject == "ftth"}


# --- what lies beyond the box ---------------------------------------------------------------------------


def test_first_hop_that_answers_means_an_operator_outage_and_no_cut() -> None:
    """Box and access line are well: eight hours of it cost no cut at all."""
    world = calm()
    world.brings["ftth"] = [(Asked.HOP, "2", Said.WELL), (Asked.NAME, "a@1.1.1.1", Said.SILENT)]
    world.change("ftth", forwards=False)
    world.play(8 * 3600)
    assert faults(world) == {Code.OPERATOR_OUTAGE}
    assert world.cuts == []
    assert Code.LINE_OR_OPERATOR not in world.codes(), "known before it was told"


def test_first_hop_seen_before_the_outage_proves_nothing() -> None:
    """An answer from calm times says nothing about now."""
    world = calm()
    world.feed(Check("ftth", Asked.HOP, "2", world.t, Said.WELL))
    world.play(1)
    world.change("ftth", forwards=False)
    world.play(60)
    assert faults(world) == {Code.LINE_OR_OPERATOR}


def test_box_that_reports_a_dead_line_is_left_alone() -> None:
    """No light: that is the operator's, whatever else is silent, and eight hours cost no cut."""
    world = calm()
    world.every(30.0, Says("ftth", heard=True, line_up=False, cause="no light"))
    world.change("ftth", forwards=False)
    world.play(8 * 3600)
    assert faults(world) == {Code.LINE_DOWN}
    assert world.cuts == []


def test_what_a_box_said_long_ago_is_not_believed() -> None:
    """A report of two minutes ago and more says nothing about now."""
    world = calm()
    world.feed(Says("ftth", heard=True, line_up=False))
    world.play(200)
    world.change("ftth", forwards=False)
    world.play(60)
    assert faults(world) == {Code.LINE_OR_OPERATOR}


def test_two_lines_of_one_operator_out_together_are_its_outage() -> None:
    """The 4G of another operator is the witness; neither box is cut."""
    site = example_site(boxes=("ftth", "fibre2"))
    orange = tuple(replace(u, operator="Orange") for u in site.uplinks[:2])
    world = calm(site=replace(site, uplinks=(*orange, replace(site.uplinks[2], operator="SFR"))))
    world.change("ftth", forwards=False)
    world.play(20)
    world.change("fibre2", forwards=False)
    world.play(8 * 3600)
    assert {(Code.OPERATOR_OUTAGE, "ftth"), (Code.OPERATOR_OUTAGE, "fibre2")} <= world.findings()
    assert world.cuts == []


def test_one_line_of_an_operator_alone_is_its_own_trouble() -> None:
    """Its sister line works, so the operator as a whole does."""
    site = example_site()
    orange = tuple(replace(u, operator="Orange") for u in site.uplinks[:2])
    world = calm(site=replace(site, uplinks=(*orange, site.uplinks[2])))
    world.change("ftth", forwards=False)
    world.play(60)
    assert faults(world) == {Code.LINE_OR_OPERATOR}


# --- portals and names -----------------------------------------------------------------------------------


PORTAL = [(Asked.NAME, "a@1.1.1.1", Said.WRONG), (Asked.WEB, "http://x/204", Said.WRONG)]


@pytest.mark.parametrize("forwards", [False, True], ids=["pings dead", "pings alive"])
def test_portal_is_named_and_not_cut(forwards: bool) -> None:
    """Whether pings pass or not, whoever answers in the place of the internet is found out."""
    world = calm()
    world.brings["ftth"] = PORTAL
    if forwards:
        for asked, subject, said in PORTAL:
            world.feed(Check("ftth", asked, subject, world.t, said))
    else:
        world.change("ftth", forwards=False)
    world.play(3 * 3600)
    assert faults(world) == {Code.WALLED_GARDEN}
    assert world.cuts == []


def test_one_wrong_answer_is_no_portal() -> None:
    """It is asked again first."""
    world = calm()
    world.brings["ftth"] = [(Asked.WEB, "http://x/204", Said.WELL)]
    world.feed(Check("ftth", Asked.WEB, "http://x/204", world.t, Said.WRONG))
    world.play(60)
    assert faults(world) == set()
    assert world.asked, "a doubtful answer is followed by questions"


def test_names_that_fail_alone_are_told_apart_from_the_line() -> None:
    """Echoes and pages pass, two name servers are silent twice: that is the names, and no box's fault."""
    world = calm()
    world.brings["ftth"] = [
        (Asked.NAME, "a@1.1.1.1", Said.SILENT),
        (Asked.NAME, "b@8.8.8.8", Said.REFUSED),
        (Asked.WEB, "http://x/204", Said.WELL),
    ]
    world.feed(Check("ftth", Asked.NAME, "a@1.1.1.1", world.t, Said.SILENT))
    world.play(120)
    assert faults(world) == {Code.NAMES_FAIL}
    world.brings["ftth"] = [(Asked.NAME, n, Said.WELL) for n in ("a@1.1.1.1", "b@8.8.8.8")]
    world.play(400)
    assert faults(world) == set()
    assert world.cuts == []


def test_one_name_server_that_fails_is_no_finding() -> None:
    """The other one answers."""
    world = calm()
    world.brings["ftth"] = [
        (Asked.NAME, "a@1.1.1.1", Said.SILENT),
        (Asked.NAME, "b@8.8.8.8", Said.WELL),
    ]
    world.feed(Check("ftth", Asked.NAME, "a@1.1.1.1", world.t, Said.SILENT))
    world.play(600)
    assert faults(world) == set()


# --- modems ----------------------------------------------------------------------------------------------


def with_modem(*, soft: bool = False) -> Site:
    site = example_site(boxes=("4g",))
    return replace(site, boxes=(replace(site.boxes[0], soft=soft),))


@pytest.mark.parametrize(
    ("says", "code"),
    [
        (Says("4g", heard=True, sim=Sim.MISSING), Code.SIM_TROUBLE),
        (Says("4g", heard=True, sim=Sim.PIN), Code.SIM_TROUBLE),
        (Says("4g", heard=True, sim=Sim.READY, registration=Registration.DENIED), Code.SIM_TROUBLE),
        (Says("4g", heard=True, sim=Sim.READY, radio=Radio(rsrp_dbm=-127.0)), Code.NO_SIGNAL),
        (Says("4g", heard=True, sim=Sim.READY, registration=Registration.NONE), Code.NO_SIGNAL),
    ],
)
def test_modem_troubles_are_named_and_power_is_not_tried(says: Says, code: Code) -> None:
    """No cut puts a SIM card in or a signal through a wall."""
    world = calm(site=with_modem())
    world.every(30.0, says)
    world.change("4g", forwards=False)
    world.play(3 * 3600)
    assert (code, "4g") in world.findings()
    assert world.cuts == []


def test_modem_that_no_longer_speaks_of_itself_is_hung() -> None:
    """Its API used to answer, its data is dead: a hang, although its LAN still answers pings."""
    world = calm(site=with_modem())
    world.feed(Says("4g", heard=True, sim=Sim.READY, registration=Registration.HOME))
    world.play(5)
    world.every(20.0, Says("4g", heard=False))
    world.change("4g", forwards=False)
    world.play(60)
    assert (Code.MODEM_HUNG, "4g") in world.findings()


def test_modem_that_never_spoke_is_not_called_hung_for_its_silence() -> None:
    """Many modems have no API at all."""
    world = calm(site=with_modem())
    world.every(20.0, Says("4g", heard=False))
    world.change("4g", forwards=False)
    world.play(60)
    assert (Code.MODEM_HUNG, "4g") not in world.findings()


# --- asking -----------------------------------------------------------------------------------------------


def test_more_is_asked_at_once_in_doubt_and_ever_less_often() -> None:
    """Within two seconds of the first loss; then each quarter minute, minute, five minutes."""
    world = calm(site=example_site(boxes=()))
    assert world.asked == []
    at = world.t
    world.change("ftth", forwards=False)
    world.play(3600)
    times = [t - at for t, uplink in world.asked if uplink == "ftth"]
    assert times[0] < 2.5
    assert 4 <= len([t for t in times if t < 62]) <= 6
    assert 9 <= len([t for t in times if 62 <= t < 662]) <= 11
    assert 9 <= len([t for t in times if t >= 662]) <= 11


def test_nothing_is_asked_through_a_pulled_cable() -> None:
    """There is nobody at the other end."""
    world = calm()
    world.change("ftth", cable=False)
    world.play(600)
    assert [uplink for _, uplink in world.asked if uplink == "ftth"] == []


def test_an_uplink_that_comes_back_is_asked_whether_it_is_really_the_internet() -> None:
    """A box may come back into a portal."""
    world = calm()
    world.change("ftth", forwards=False)
    world.play(60)
    world.change("ftth", forwards=True)
    world.asked.clear()
    world.play(30)
    assert [uplink for _, uplink in world.asked] == ["ftth"]


# --- evidence ---------------------------------------------------------------------------------------------


def test_a_finding_lists_what_it_rests_on() -> None:
    """What was asked, when, and what answered: in the picture and with the event."""
    world = calm()
    world.brings["ftth"] = [(Asked.HOP, "2", Said.WELL)]
    world.change("ftth", forwards=False)
    world.play(30)
    (finding,) = [f for f in world.picture().findings if f.subject == "ftth"]
    text = "\n".join(finding.evidence)
    for fact in ("carrier", "gateway 192.168.1.1", "box: answered a ping", "hop 2: well", "none of 1.1.1.1"):
        assert fact in text
    assert "witnesses: fibre2 up, 4g up" in text
    (told,) = [e for _, e in world.events if e.code is Code.OPERATOR_OUTAGE]
    assert "hop 2: well" in str(told.args["evidence"])


def test_a_better_name_for_the_same_fault_does_not_begin_anew() -> None:
    """When the box's own word comes later, the trouble is still as old as it was."""
    world = calm()
    world.change("ftth", forwards=False)
    world.play(60)
    before = next(f for f in world.picture().findings if f.subject == "ftth")
    assert before.code is Code.LINE_OR_OPERATOR
    world.every(30.0, Says("ftth", heard=True, line_up=False))
    world.play(1)
    after = next(f for f in world.picture().findings if f.subject == "ftth")
    assert (after.code, after.since) == (Code.LINE_DOWN, before.since)
    assert Code.INCIDENT_CAUSE not in world.codes(), "people are told once it has stood"
    world.play(31)
    assert Code.INCIDENT_CAUSE in world.codes()


def test_every_fault_of_the_table_says_whether_power_can_help() -> None:
    """The policy in one place, as the table of the design has it."""
    by_cure = {
        cure: {code for code, entry in FINDINGS.items() if entry.cure is cure}
        for cure in (Cure.LIKELY, Cure.PERHAPS)
    }
    assert by_cure[Cure.LIKELY] == {Code.BOX_HUNG, Code.MODEM_HUNG, Code.BY_HAND}
    assert by_cure[Cure.PERHAPS] == {Code.CABLE_OR_POWER, Code.LINE_OR_OPERATOR, Code.NO_NETWORK}


def test_own_trouble_names_the_silence_of_the_prober() -> None:
    """If nobody asks any more, that is told as our own trouble, not as an outage."""
    world = calm()
    world.asking.stop()  # the prober has died: nothing is sent any more
    world.play(60)
    assert {code for code, _ in world.findings()} == {Code.OWN_TROUBLE}
    assert world.cuts == []


def test_state_keeps_no_more_than_the_newest_answers() -> None:
    """However long an outage, what was asked does not pile up."""
    world = calm()
    world.brings["ftth"] = [(Asked.HOP, "2", Said.WELL), *PORTAL]
    world.change("ftth", forwards=False)
    world.play(6 * 3600)
    state: State = world.state
    assert len(state.uplinks["ftth"].checks) == 3
