"""What runs here, for records and reports."""

from __future__ import annotations

import platform
from pathlib import Path

from agent import __version__

MODEL = Path("/proc/device-tree/model")
OS_RELEASE = Path("/etc/os-release")


def versions(model: Path = MODEL, release: Path = OS_RELEASE) -> dict[str, str]:
    """Vigie, Python, kernel, system and machine, as texts."""
    return {
        "vigie": __version__,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "system": _system(release),
        "machine": _model(model),
    }


def _system(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.system()
    names = [line.partition("=")[2].strip("\"'") for line in lines if line.startswith("PRETTY_NAME=")]
    return names[0] if names else platform.system()


def _model(path: Path) -> str:
    """The Raspberry Pi's own words; on other machines the kind of processor."""
    try:
        model = path.read_text(encoding="ascii", errors="replace").strip("\0 \n")
    except OSError:
        model = ""
    return model or platform.machine()
