"""The rules of structure, each with its reason. A rule that is broken says why it exists."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("agent", "hardware")
CORE_STDLIB = {
    "__future__",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "ipaddress",
    "itertools",
    "math",
    "statistics",
    "typing",
}
DRIVERS = {
    "hardware.at",
    "hardware.at_port",
    "hardware.bbox",
    "hardware.freebox",
    "hardware.gpio",
    "hardware.huawei",
    "hardware.huawei_http",
    "hardware.huawei_session",
    "hardware.livebox",
    "hardware.screen",
    "hardware.relays",
    "hardware.restore",
    "hardware.routes",
    "hardware.routes_netlink",
    "hardware.routes_nft",
    "hardware.sfr",
    "hardware.starlink",
}
LIBRARIES = {
    "gpiozero": {"hardware/gpio.py"},
    "h11": {"agent/sinks/web/server.py"},
    "huawei_lte_api": {"hardware/huawei_session.py"},
    "icmplib": {"agent/probes/icmp_socket.py"},
    "luma": {"hardware/screen.py"},
    "paho": {"agent/sinks/mqtt/connection.py"},
    "pyroute2": {"hardware/routes_netlink.py"},
    "requests": {"hardware/huawei_http.py"},
    "reportlab": {"agent/reports/pdf.py"},
    "rich": {"agent/cli/terminal.py"},
    "serial": {"hardware/at_port.py"},
    "urllib3": {"hardware/huawei_http.py"},
}
PORTS = (
    "hardware.ports",
    "hardware.box_port",
    "hardware.buttons_port",
    "hardware.buzzer_port",
    "hardware.pins",
    "hardware.routes_port",
)
LONGEST_MODULE = 330
LONGEST_FUNCTION = 60


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    nodes: Iterator[ast.AST] = iter(tree.body) if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute, so that a reader can search for them"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def broken(folder: str, forbidden: object, reason: str) -> list[str]:
    assert callable(forbidden)
    return [
        f"{path.relative_to(ROOT)} imports {name}: {reason}"
        for path in sources(folder)
        for name in imports(path)
        if forbidden(name)
    ]


def below(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_core_is_pure() -> None:
    """The core imports itself and pure modules only, so that any recorded day can be replayed."""

    def forbidden(name: str) -> bool:
        return name.split(".")[0] not in CORE_STDLIB and not below(name, "agent.core")

    assert broken("agent/core", forbidden, "the core has no clock, no I/O, no chance and no log") == []


def test_core_opens_and_prints_nothing() -> None:
    """Builtins that touch the world are not called in the core either."""
    calls = [
        f"{path.name}:{node.lineno} {node.func.id}"
        for path in sources("agent/core")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"open", "print", "input", "exec", "eval", "__import__"}
    ]
    assert calls == []


def test_hardware_knows_nothing_of_the_agent() -> None:
    """Drivers can be used and benched alone."""
    assert broken("hardware", lambda name: below(name, "agent"), "drivers stand alone") == []


@pytest.mark.parametrize(
    "folder", ["agent/sinks", "agent/probes", "agent/runtime", "agent/config", "agent/text"]
)
def test_only_the_composition_root_knows_drivers(folder: str) -> None:
    """Everything else sees ports, so that a laptop without GPIO runs it."""

    def forbidden(name: str) -> bool:
        return below(name, "hardware") and not below(name, *PORTS)

    assert broken(folder, forbidden, "only the composition root makes drivers") == []


def test_nothing_but_the_demo_knows_the_virtual_bay() -> None:
    """The agent cannot tell a virtual bay from a real one."""
    wrong = [
        (path.name, name)
        for path in sources("agent")
        if not path.is_relative_to(ROOT / "agent/cli")
        for name in imports(path)
        if below(name, "hardware.virtual")
    ]
    assert wrong == []


def test_drivers_are_loaded_only_when_configured() -> None:
    """The root and the commands import drivers inside functions, never at the top."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name} at its top"
        for path in sources("agent")
        for name in imports(path, top_level_only=True)
        if below(name, *DRIVERS)
    ]
    assert wrong == []


@pytest.mark.parametrize("kind", ["sinks", "probes"])
def test_sinks_and_probes_stand_alone(kind: str) -> None:
    """A sink or a probe knows the core, the texts and its version; not the shell, not the configuration."""
    allowed = ("agent.core", "agent.text", "agent.__version__", f"agent.{kind}")

    def forbidden(name: str) -> bool:
        return below(name, "agent") and name != "agent" and not below(name, *allowed)

    assert broken(f"agent/{kind}", forbidden, "it can be replaced without touching anything else") == []


def test_the_simulation_knows_the_core_alone() -> None:
    """It plays what the core is told: shell, sinks and configuration have no part in it."""

    def forbidden(name: str) -> bool:
        return below(name, "agent", "hardware") and not below(name, "agent.core", "agent.simulation")

    wrong = broken("agent/simulation", lambda name: name != "agent" and forbidden(name), "it plays the core")
    assert wrong == []


def test_the_agent_that_runs_knows_nothing_of_the_simulation() -> None:
    """Only the commands play stories."""
    wrong = [
        (path.name, name)
        for path in sources("agent")
        if not path.is_relative_to(ROOT / "agent/cli") and not path.is_relative_to(ROOT / "agent/simulation")
        for name in imports(path)
        if below(name, "agent.simulation")
    ]
    assert wrong == []


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_each_library_has_one_door(library: str) -> None:
    """A library is imported in one file, so that replacing it is changing one file."""
    users = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in sources(package)
        if any(below(name, library) for name in imports(path))
    }
    assert users == LIBRARIES[library]


def test_no_import_circles() -> None:
    """Modules form layers; a circle means that two files are one."""
    paths = {name_of(path): path for package in PACKAGES for path in sources(package)}
    graph = {
        name: {other for other in imports(path, top_level_only=True) if other in paths and other != name}
        for name, path in paths.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"import circle: {' -> '.join((*trail, name))}"
        if name not in done:
            for other in graph[name]:
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_and_functions_have_one_job(package: str) -> None:
    """A module beyond some 300 lines or a function beyond some 50 has two jobs."""
    long: list[str] = []
    for path in sources(package):
        text = path.read_text()
        if text.count("\n") > LONGEST_MODULE:
            long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                lines = node.end_lineno - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines")
    assert long == []


def test_every_module_says_why_it_exists() -> None:
    """A newcomer reads the docstrings of the modules first."""
    silent = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in sources(package)
        if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []
