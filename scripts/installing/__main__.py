"""``scripts/install``: what is asked for, in which order it is done, and what is said at the end."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from pathlib import Path

from installing import bundle, keeping, release, system
from installing.machine import CONFIG, InstallError, Manifest, say, systemd_runs
from installing.release import Source


def main() -> int:
    """Return the exit code: 0 done, 1 it did not work and nothing is worse than before, 2 bad usage."""
    parser = argparse.ArgumentParser(
        prog="scripts/install",
        description="Install Vigie, or bring it up to date. Safe to repeat: it prints what it changes and"
        " keeps configuration and state.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE",
        help="write everything into one .tar.gz, for a machine without a network",
    )
    what.add_argument("--rollback", action="store_true", help="go back to the version before")
    what.add_argument(
        "--uninstall", action="store_true", help="remove what was installed; configuration and state stay"
    )
    parser.add_argument(
        "--purge", action="store_true", help="with --uninstall: configuration and state as well"
    )
    parser.add_argument(
        "--machine",
        action="append",
        metavar="NAME",
        help="with --bundle: as uname -m says it, more than one allowed (default: aarch64)",
    )
    args = parser.parse_args()
    if args.purge and not args.uninstall:
        parser.error("--purge goes with --uninstall")
    source = Source(Path(__file__).resolve().parents[2])
    try:
        if args.bundle:
            bundle.make(source, args.bundle, tuple(args.machine or ["aarch64"]))
            return 0
        if os.geteuid() != 0:
            say("run this as root: sudo scripts/install")
            return 2
        if args.uninstall:
            system.remove(Manifest.read(), purge=args.purge)
        elif args.rollback:
            _go_back(Manifest.read())
        else:
            _install(source)
    except InstallError as error:
        sys.stdout.flush()
        sys.stderr.write(f"vigie: {error}\n")
        return 1
    return 0


def _install(source: Source) -> None:
    if platform.machine() not in ("aarch64", "x86_64"):
        raise InstallError(f"{platform.machine()}: Vigie needs a 64-bit system")
    manifest = Manifest.read()
    before = release.current()
    place = release.make(manifest, source)
    try:
        if place != before:
            release.check(place)
            keeping.check(place)
        if before is None or place == before or not systemd_runs():
            _begin(manifest, place)
        else:
            _replace(manifest, before, place)
    finally:
        release.tidy()


def _begin(manifest: Manifest, place: Path) -> None:
    """Lay everything, and start the service if there is something to watch."""
    release.switch(manifest, place)
    system.lay(manifest, place)
    system.enable()
    config = CONFIG / "vigie.toml"
    if not config.exists():
        say(f"write {config} (start from {config}.example), then: vigie check {config}")
    if not systemd_runs():
        say("no systemd is running here: settings and service take effect at the next boot")
    elif not config.exists():
        say("not started: no configuration yet; then: systemctl start vigie")
    else:
        release.check(place)
        system.reset()
        began_at = time.time()
        if not system.start():
            raise InstallError(f"the service does not start:\n{system.last_words(began_at)}")
        say("running: vigie status; once, and after each change of wiring: sudo vigie commission")


def _replace(manifest: Manifest, before: Path, place: Path) -> None:
    """Change the version of a running service; back to the one before if the new one does not hold.

    Raises:
        InstallError: it did not; the version before runs again.
    """
    older = release.previous()
    system.stop()
    keeping.keep()
    _change(manifest, place)
    if not (CONFIG / "vigie.toml").exists():
        return
    began_at = time.time()
    if system.start() and release.settled():
        say(f"running: {place.name}; the one before is kept: scripts/install --rollback")
        return
    words = system.last_words(began_at)
    say(f"{place.name} does not hold, back to {before.name}")
    system.stop()
    keeping.give_back(before)
    _change(manifest, before)
    release.point_back(manifest, older)
    runs = "runs again" if system.start() else "DOES NOT START EITHER"
    raise InstallError(f"{place.name} did not become ready; {before.name} {runs}. It said:\n{words}")


def _go_back(manifest: Manifest) -> None:
    """Go back to the version before, which becomes the present one.

    Raises:
        InstallError: there is none, or it does not hold; then everything is as it was.
    """
    before, present = release.previous(), release.current()
    if before is None or present is None:
        raise InstallError("there is no version before this one")
    release.check(before)
    if systemd_runs():
        system.stop()
    keeping.give_back(before)
    _change(manifest, before)
    if not systemd_runs() or not (CONFIG / "vigie.toml").exists():
        return
    began_at = time.time()
    if system.start() and release.settled():
        say(f"running: {before.name}")
        return
    words = system.last_words(began_at)
    system.stop()
    _change(manifest, present)
    runs = "runs again" if system.start() else "DOES NOT START EITHER"
    raise InstallError(f"{before.name} does not hold; {present.name} {runs}. It said:\n{words}")


def _change(manifest: Manifest, place: Path) -> None:
    release.switch(manifest, place)
    system.lay(manifest, place)
    if systemd_runs():
        system.reset()


if __name__ == "__main__":
    sys.exit(main())
