"""A file with everything, for a machine without a network."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

from installing.machine import InstallError, changed, run
from installing.release import SOURCES, Source

PYTHONS = ("3.11", "3.13")
"""Of Raspberry Pi OS and Debian: Bookworm's and Trixie's."""
GLIBC = {"3.11": (36, 34, 31, 28, 27, 24, 17), "3.13": (41, 39, 36, 34, 31, 28, 27, 24, 17)}
"""Minor versions of glibc 2 that wheels for that system may ask for, the newest that it has first."""
ALSO = ("pip>=24",)
PARTS = ("pyproject.toml", "README.md", "LICENSE", "scripts/install", "scripts/installing")


def make(source: Source, file: Path, machines: tuple[str, ...]) -> None:
    """Write a bundle for these machines (as ``uname -m`` names them), and every Python in ``PYTHONS``.

    Raises:
        InstallError: something cannot be had as a wheel.
    """
    if source.wheels is not None:
        raise InstallError("this is a bundle already")
    wanted = tomllib.loads((source.folder / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "dependencies"
    ]
    with tempfile.TemporaryDirectory(prefix="vigie-") as folder:
        top = Path(folder) / f"vigie-{source.name()}"
        for part in (*PARTS, *SOURCES):
            _copy(source.folder / part, top / part)
        environment = Path(folder) / "environment"
        run(sys.executable, "-m", "venv", environment, quiet=True)
        pip: list[str | Path] = [environment / "bin/python", "-m", "pip", "--disable-pip-version-check"]
        run(*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", top / "wheels", source.folder, quiet=True)
        own = next((top / "wheels").glob("vigie-*.whl"))
        for version in PYTHONS:
            wheels = top / "wheels" / version
            for machine in machines:
                _fetch(pip, wheels, version, machine, [*wanted, *ALSO])
                # Elsewhere the system's own package serves; see ``release``.
                if machine == "aarch64" and version == "3.11":
                    _fetch(pip, wheels, version, machine, ["lgpio>=0.2.2"])
            _write_requirements(wheels)
            shutil.copy(own, wheels)
        own.unlink()
        file.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(file, "w:gz") as archive:
            archive.add(top, arcname=top.name)
    changed(f"{file}: {file.stat().st_size / 1e6:.1f} MB, unpack it and run scripts/install in it")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _fetch(pip: list[str | Path], wheels: Path, version: str, machine: str, wanted: list[str]) -> None:
    platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in GLIBC[version]]
    run(
        *pip,
        "download",
        "--quiet",
        "--only-binary=:all:",
        f"--python-version={version}",
        *platforms,
        f"--platform=linux_{machine}",
        f"--dest={wheels}",
        *wanted,
        quiet=True,
    )


def _write_requirements(wheels: Path) -> None:
    """Every wheel by version and digest, so that nothing else can take its place."""
    held: dict[str, set[str]] = {}
    for wheel in sorted(wheels.glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if name not in ("pip", "lgpio"):
            held.setdefault(f"{name}=={version}", set()).add(f"--hash=sha256:{digest}")
    lines = [f"{name} {' '.join(sorted(digests))}\n" for name, digests in held.items()]
    (wheels / "requirements.txt").write_text("".join(lines), encoding="utf-8")
