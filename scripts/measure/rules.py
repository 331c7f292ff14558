"""Whether the tests would notice that a rule of power is gone: each refusal is taken out of a copy in turn.

The reasons are read from the modules that refuse. In a copy of the tree refusals of one reason are let pass,
where all of them go through; then the copy is held against the stories, the fault matrix and the random
tests, in this order, until one fails. A rule of which none fails is not held by any test.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from measure.console import ROOT, columns, say

COPIED = ("agent", "hardware", "tests", "docs", "pyproject.toml")
STAGES = {
    "stories": [f"tests/core/test_core_{name}.py" for name in ("requests", "proofs", "cures", "stories")],
    "faults": ["tests/core/test_core_faults.py", "-k", "test_fault"],
    "random": ["tests/core/test_core_random.py"],
}
"""What the copy is held against, the cheapest first."""
LETS_PASS = {
    "agent/core/guards.py": (
        "r.reason not in waived)",
        "r.reason not in waived and r.reason != {reason!r})",
    ),
    "agent/core/requests.py": (
        "    if refusal is None:\n        how =",
        "    if refusal is None or refusal.reason == {reason!r}:\n        how =",
    ),
}
"""Where all refusals of a module go through, and what lets those of one reason pass."""
LONGEST_S = 1800.0
"""No stage takes so long."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason for which a module refuses."""

    module: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which stage noticed, and by which test; None if none did."""

    stage: str | None
    test: str
    took_s: float


class RulesError(Exception):
    """Nothing can be measured: the tests fail as they are, or a module is not as it was."""


def rules() -> Iterator[Rule]:
    """Every reason in the functions of the modules that refuse."""
    table = set(tomllib.loads((ROOT / "agent/text/en.toml").read_text(encoding="utf-8"))["refusal"])
    for module in LETS_PASS:
        found: dict[str, None] = {}
        for function in ast.parse((ROOT / module).read_text(encoding="utf-8")).body:
            if isinstance(function, ast.FunctionDef) and function.name != "unarmed_why":
                found |= dict.fromkeys(word for word in _reasons(function) if word in table)
        yield from (Rule(module, reason) for reason in found)


def _reasons(function: ast.FunctionDef) -> Iterator[str]:
    """The words that are given to ``Refusal``, and those of a variable that is."""
    for node in ast.walk(function):
        made = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refusal"
        named = isinstance(node, ast.Assign) and "reason" in ast.unparse(node.targets[0])
        if made or named:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    yield inner.value


def without(rule: Rule | None) -> Verdict:
    """Hold a copy without this rule, or the tree as it is, against the tests."""
    began_at = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vigie-rules-") as folder:
        copy = Path(folder) / "copy"
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, copy / name)
        if rule is not None:
            _let_pass(copy / rule.module, rule)
        for stage, tests in STAGES.items():
            failed = _first_failure(copy, tests)
            if failed is not None:
                return Verdict(stage, failed, time.monotonic() - began_at)
    return Verdict(None, "", time.monotonic() - began_at)


def _let_pass(path: Path, rule: Rule) -> None:
    old, new = LETS_PASS[rule.module]
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise RulesError(f"{rule.module}: the place where all refusals go through is not found")
    path.write_text(text.replace(old, new.format(reason=rule.reason)), encoding="utf-8")


def _first_failure(copy: Path, tests: list[str]) -> str | None:
    """The first test that fails; None if all pass."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(copy / "hypothesis"),
    }
    probe = [sys.executable, "-c", "import agent; print(agent.__file__)"]
    seen = subprocess.run(probe, cwd=copy, env=environment, capture_output=True, text=True, check=True)
    if not seen.stdout.startswith(str(copy)):
        raise RulesError(f"not the copy is imported but {seen.stdout.strip()}")
    pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no", *tests]
    done = subprocess.run(
        pytest, cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST_S
    )
    if done.returncode == 0:
        return None
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    if done.returncode != 1 or not failed:
        raise RulesError(f"pytest did not run:\n{done.stdout}{done.stderr}")
    return failed[0].removeprefix("FAILED ").split(" - ")[0].split("::", 1)[1]


def measure(reasons: list[str], jobs: int) -> bool:
    """Take each rule out in turn, and print who noticed; false if one went unnoticed.

    Args:
        reasons: only these; all if empty.
        jobs: copies at once.

    Raises:
        RulesError: the tests fail as they are, a reason is unknown, or a module is not as it was.
    """
    every = list(rules())
    unknown = set(reasons) - {rule.reason for rule in every}
    if unknown:
        known = ", ".join(sorted({rule.reason for rule in every}))
        raise RulesError(f"{', '.join(sorted(unknown))}: no such reason; there are: {known}")
    chosen = [rule for rule in every if not reasons or rule.reason in reasons]
    as_it_is = without(None)
    if as_it_is.stage is not None:
        raise RulesError(f"the tests fail as they are: {as_it_is.test}")
    with ThreadPoolExecutor(jobs) as pool:
        verdicts = list(pool.map(partial(_told, total=len(chosen)), chosen, range(1, len(chosen) + 1)))
    say()
    heads = ("reason", "refused by", "noticed by", "first test that fails")
    rows = [
        (rule.reason, Path(rule.module).stem, verdict.stage or "NOT CAUGHT", verdict.test)
        for rule, verdict in zip(chosen, verdicts, strict=True)
    ]
    for line in columns(rows, heads, ""):
        say(line)
    caught = sum(verdict.stage is not None for verdict in verdicts)
    say(f"\n{caught} of {len(verdicts)} rules are missed by a test when they are gone")
    return caught == len(verdicts)


def _told(rule: Rule, number: int, total: int) -> Verdict:
    verdict = without(rule)
    who = "NOT CAUGHT" if verdict.stage is None else f"{verdict.stage}: {verdict.test}"
    say(f"{number:2}/{total}  {rule.reason}  {who}  ({verdict.took_s:.0f} s)")
    return verdict
