"""One version of Vigie in a folder of its own, made beside the running one and put in its place at once.

``/opt/vigie/releases/NAME`` holds an environment and, in ``share``, the system's files of that version;
``/opt/vigie/current`` and ``previous`` are links to two of them. Switching is one rename, and so is going
back.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from installing.machine import (
    CONFIG,
    PREFIX,
    InstallError,
    Manifest,
    changed,
    install_packages,
    link,
    run,
    say,
    works,
)

RELEASES = PREFIX / "releases"
CURRENT = PREFIX / "current"
PREVIOUS = PREFIX / "previous"
COMPLETE = "complete"
"""Written last into a release: without it the folder is what an interrupted installation left."""
SOURCES = ("agent", "hardware", "systemd")
LGPIO = "import lgpio; lgpio.gpiochip_open"
"""The module of that name may also be an empty one."""


@dataclass(frozen=True)
class Source:
    """Where a version comes from: the project's folder, or a bundle, which has ``wheels``."""

    folder: Path

    @property
    def wheels(self) -> Path | None:
        """Wheels for the Python of this machine; None in the project's folder.

        Raises:
            InstallError: the bundle holds none for it.
        """
        if not (self.folder / "wheels").is_dir():
            return None
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        found = self.folder / "wheels" / version
        if not found.is_dir():
            held = ", ".join(sorted(path.name for path in (self.folder / "wheels").iterdir()))
            raise InstallError(f"this bundle is for Python {held}; here is Python {version}")
        return found

    def name(self) -> str:
        """The version, and a digest of everything that makes it what it is."""
        digest = hashlib.sha256()
        files = [self.folder / "pyproject.toml"]
        for part in SOURCES:
            files += [path for path in (self.folder / part).rglob("*") if path.is_file()]
        for path in sorted(path for path in files if "__pycache__" not in path.parts):
            digest.update(f"{path.relative_to(self.folder)}\n".encode())
            digest.update(path.read_bytes())
        text = (self.folder / "agent/__init__.py").read_text(encoding="utf-8")
        version = text.split('__version__ = "', 1)[1].split('"', 1)[0]
        return f"{version}-{digest.hexdigest()[:10]}"


def make(manifest: Manifest, source: Source) -> Path:
    """The release of this source, built if it is not there yet; the running one is not touched.

    Raises:
        InstallError: it could not be built; what had been begun is gone.
    """
    place = RELEASES / source.name()
    if (place / COMPLETE).exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    wheels = source.wheels
    packages = [] if wheels else ["python3-venv"]
    # lgpio has no wheel for Python 3.13: Raspberry Pi's own package serves both releases.
    if Path("/dev/gpiochip0").exists() and works("apt-cache", "show", "python3-lgpio"):
        packages.append("python3-lgpio")
    if packages:
        install_packages(manifest, packages)
    try:
        _build(place, source, wheels)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    changed(str(place))
    return place


def _build(place: Path, source: Source, wheels: Path | None) -> None:
    python = place / "bin/python"
    pip: list[str | Path]
    # The system's packages are visible because lgpio is one of them.
    venv = [sys.executable, "-m", "venv", "--system-site-packages"]
    if wheels is None:
        run(*venv, place, quiet=True)
        extra = "" if works(python, "-c", LGPIO) else "[pi]"
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        run(*pip, f"{source.folder}{extra}", quiet=True)
    else:
        # Debian's venv has pip only with another package; the bundle brings its own.
        run(*venv, "--without-pip", place, quiet=True)
        packed = next(wheels.glob("pip-*.whl"))
        pip = [python, packed / "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index"]
        run(*pip, "--find-links", wheels, "--require-hashes", "-r", wheels / "requirements.txt", quiet=True)
        if not works(python, "-c", LGPIO) and any(wheels.glob(f"lgpio-*_{platform.machine()}.whl")):
            run(*pip, "--find-links", wheels, "lgpio", quiet=True)
        run(*pip, "--no-deps", next(wheels.glob("vigie-*.whl")), quiet=True)
    share = place / "share/vigie"
    shutil.copytree(source.folder / "systemd", share / "systemd")
    shutil.copy(source.folder / "README.md", share)
    shutil.copy(source.folder / "agent/config/example.toml", share)
    (place / COMPLETE).touch()


def check(place: Path) -> None:
    """Make sure that this release can start with the configuration that is here.

    Raises:
        InstallError: it cannot; nothing has been changed.
    """
    if not (CONFIG / "vigie.toml").exists():
        return
    try:
        run(place / "bin/vigie", "check", CONFIG / "vigie.toml", quiet=True)
    except InstallError as error:
        raise InstallError(
            f"the new version does not accept the configuration; nothing was changed\n{error}"
        ) from error


def current() -> Path | None:
    """The release in use."""
    return CURRENT.resolve() if CURRENT.is_symlink() and CURRENT.exists() else None


def previous() -> Path | None:
    """The one before it."""
    return PREVIOUS.resolve() if PREVIOUS.is_symlink() and PREVIOUS.exists() else None


def switch(manifest: Manifest, place: Path) -> None:
    """Put a release in place of the present one, which becomes the previous one."""
    before = current()
    if before is not None and before != place:
        link(manifest, before, PREVIOUS)
    link(manifest, place, CURRENT)


def point_back(manifest: Manifest, older: Path | None) -> None:
    """After an attempt that failed: the version before is again the one that it was."""
    if older is not None:
        link(manifest, older, PREVIOUS)
    else:
        PREVIOUS.unlink(missing_ok=True)


def tidy() -> None:
    """Remove all releases but two."""
    kept = {current(), previous()}
    for place in RELEASES.iterdir() if RELEASES.is_dir() else ():
        if place.resolve() not in kept:
            shutil.rmtree(place, ignore_errors=True)
            changed(f"{place} removed")


def settled(check_s: float = 1.0, for_s: float = 15.0) -> bool:
    """Whether the service runs and goes on running; asked each ``check_s`` for ``for_s`` seconds."""
    end_at = time.monotonic() + for_s
    say(f"watching it for {for_s:.0f} s")
    while time.monotonic() < end_at:
        if not works("systemctl", "is-active", "--quiet", "vigie"):
            return False
        time.sleep(check_s)
    return True
