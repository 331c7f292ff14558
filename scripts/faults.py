"""Play the scenarios of the core: all of them into docs/faults.md, or some with what happened when."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from agent.cli.core_story import play  # noqa: E402
from agent.cli.expectations import judge  # noqa: E402
from agent.cli.fault_table import Row, document, row  # noqa: E402
from agent.cli.labels import LANGUAGES  # noqa: E402
from agent.cli.summary import verdict  # noqa: E402
from agent.cli.timeline import timeline  # noqa: E402
from hardware.virtual import scenario_reader  # noqa: E402
from hardware.virtual.scenario import Player, Scenario  # noqa: E402

PAGE = ROOT / "docs" / "faults.md"
WELL, FAILED, BAD = 0, 1, 2


def say(text: str) -> None:
    """Write one line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def every_row() -> list[Row]:
    """Play what plays on the core, and put everything into rows."""
    rows = [row(scenario_reader.find(name), None) for name in scenario_reader.names(Player.BAY)]
    for name in scenario_reader.names(Player.CORE):
        scenario = scenario_reader.find(name)
        evidence = play(scenario)
        rows.append(row(scenario, evidence))
        say(f"{name:32} {next(iter(judge(scenario, evidence)), 'as it must')}")
    return rows


def show(scenario: Scenario, language: str) -> bool:
    """Play one on the core and print it; true if it went as it must."""
    evidence = play(scenario)
    failures = judge(scenario, evidence)
    say(f"{scenario.name}: {scenario.title[language]}")
    for line in (*timeline(scenario, evidence, language), *verdict(failures, language)):
        say(line)
    return not failures


def main() -> int:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a scenario, or a .toml file")
    parser.add_argument("--lang", choices=LANGUAGES, default="en")
    args = parser.parse_args()
    try:
        if args.names:
            went_well = [show(scenario_reader.find(name), args.lang) for name in args.names]
            return WELL if all(went_well) else FAILED
    except scenario_reader.ScenarioError as fault:
        sys.stderr.write(f"{fault}\n")
        return BAD
    PAGE.write_text(document(every_row()), encoding="utf-8")
    say(f"written: {PAGE.relative_to(ROOT)}")
    return WELL


if __name__ == "__main__":
    sys.exit(main())
