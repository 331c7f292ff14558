"""What an operator's long outage costs in cuts, and how soon a hung box is cut: in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.cli.core_story import play
from agent.cli.expectations import Evidence
from agent.cli.fault_table import first_cut_s, first_finding_s
from hardware.virtual import scenario_reader
from hardware.virtual.scenario import Deed, Scenario

OUTAGES = ("operator_out", "line_cut")
KNOWING = (
    ("neither box nor first hop says more", False, False),
    ("the box can be asked", True, False),
    ("the first hop answers while it can", False, True),
    ("both", True, True),
)
HUNG = (
    "hung_box",
    "only_uplink_hung",
    "hung_while_backup_down",
    "hung_in_maintenance",
    "hung_forwards_nothing",
)


def faults(say: Callable[[str], None]) -> None:
    """Play and say."""
    long = scenario_reader.find("operator_out_8h")
    for what in OUTAGES:
        for words, api, first_hop in KNOWING:
            scenario = variant(long, what, api=api, first_hop=first_hop)
            evidence = play(scenario)
            cuts, most = (
                evidence.cuts["ftth"],
                max((one.end - one.begin for one in evidence.outages), default=0),
            )
            found = ", ".join(findings(evidence))
            say(f"8 h of {what:12}  {words:36}  cuts {cuts}  longest {most:4.0f} s  {found}")
    for name in HUNG:
        scenario = scenario_reader.find(name)
        evidence = play(scenario)
        times = (first_finding_s(scenario, evidence, "hang"), first_cut_s(scenario, evidence, "hang"))
        told, cut = ("never" if one is None else f"{one:.1f} s" for one in times)
        say(f"{name:24}  from the hang to the finding {told:>8}, to the cut {cut:>9}")


def variant(long: Scenario, what: str, *, api: bool, first_hop: bool) -> Scenario:
    """The eight hours, by another fault and with a box and an operator that say more or less."""
    first, second = long.deeds
    ftth, *others = long.uplinks
    deeds: tuple[Deed, ...] = (
        replace(first, what=what),
        replace(second, what="operator_back" if what == "operator_out" else "line_back"),
    )
    return replace(
        long,
        uplinks=(replace(ftth, speaks="livebox" if api else None, first_hop=first_hop), *others),
        deeds=deeds,
    )


def findings(evidence: Evidence) -> list[str]:
    """The headlines' codes in their order, "all is well" left out."""
    seen = [str(shot.headline) for _, shot in evidence.pictures if shot.headline != "all_well"]
    return [code for place, code in enumerate(seen) if place == 0 or seen[place - 1] != code]
