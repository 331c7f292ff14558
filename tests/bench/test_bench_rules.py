"""Each refusal is taken out of a copy: which there are, and that taking one out does so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent.core.requests import NEVER_OVERRIDDEN, OVERRIDDEN
from measure import rules as measured
from measure.console import ROOT
from measure.rules import LETS_PASS, Rule, RulesError, Verdict, measure, rules


def test_every_refusal_is_measured() -> None:
    """All reasons that force overrides or never does, and none twice for one module."""
    found = list(rules())
    assert {rule.reason for rule in found} == OVERRIDDEN | NEVER_OVERRIDDEN
    assert len(found) == len(set(found))


@pytest.mark.parametrize("module", LETS_PASS)
def test_a_rule_is_taken_out_where_all_refusals_go_through(module: str, tmp_path: Path) -> None:
    """The copy is Python still, and differs by the reason; what has moved is an error, not a rule less."""
    copy = tmp_path / "copy.py"
    shutil.copy(ROOT / module, copy)
    measured._let_pass(copy, Rule(module, "spacing"))
    text = copy.read_text(encoding="utf-8")
    compile(text, str(copy), "exec")
    assert text.count("reason != 'spacing'") + text.count("reason == 'spacing'") == 1
    copy.write_text("nothing")
    with pytest.raises(RulesError, match="is not found"):
        measured._let_pass(copy, Rule(module, "spacing"))


def test_the_tests_see_the_copy(tmp_path: Path) -> None:
    """A failure in the copy is found, and named; without one there is none."""
    shutil.copytree(ROOT / "agent", tmp_path / "agent", ignore=shutil.ignore_patterns("__pycache__"))
    test = tmp_path / "test_it.py"
    test.write_text("import agent\n\ndef test_well():\n    assert not hasattr(agent, 'gone')\n")
    assert measured._first_failure(tmp_path, ["test_it.py"]) is None
    with (tmp_path / "agent" / "__init__.py").open("a") as package:
        package.write("\ngone = True\n")
    assert measured._first_failure(tmp_path, ["test_it.py"]) == "test_well"
    with pytest.raises(RulesError, match="did not run"):
        measured._first_failure(tmp_path, ["no_such_test.py"])


def test_an_unknown_reason_is_told() -> None:
    """With those that there are."""
    with pytest.raises(RulesError, match=r"nonsense: no such reason; there are: .*spacing"):
        measure(["nonsense"], 1)


def test_a_rule_that_nobody_misses_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the measurement has failed; tests that fail as they are make it mean nothing."""
    verdicts = {None: Verdict(None, "", 1.0), "hold": Verdict("stories", "test_hold", 1.0)}
    monkeypatch.setattr(
        measured,
        "without",
        lambda rule: verdicts.get(rule and rule.reason, Verdict(None, "", 1.0)),
    )
    assert measure(["hold"], 1)
    assert not measure(["hold", "spacing"], 1)
    assert "NOT CAUGHT" in capsys.readouterr().out
    verdicts[None] = Verdict("stories", "test_hold", 1.0)
    with pytest.raises(RulesError, match="fail as they are: test_hold"):
        measure(["hold"], 1)
