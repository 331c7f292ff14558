"""The files of a release that the system reads, and the service's own life."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from installing.machine import (
    CONFIG,
    PREFIX,
    InstallError,
    Manifest,
    changed,
    link,
    make_user,
    put,
    run,
    say,
    systemd_runs,
    works,
    write,
)
from installing.release import CURRENT

PLACES = {
    "systemd/vigie.sysusers": Path("/usr/lib/sysusers.d/vigie.conf"),
    "systemd/vigie.service": Path("/etc/systemd/system/vigie.service"),
    "systemd/vigie.sysctl": Path("/etc/sysctl.d/50-vigie.conf"),
    "systemd/vigie.rules": Path("/etc/udev/rules.d/60-vigie.rules"),
    "README.md": PREFIX / "share/doc/README.md",
}
SECRETS = (CONFIG / "mqtt-password",)


def lay(manifest: Manifest, place: Path) -> None:
    """Put the files of this release where the system looks for them, and have it look."""
    share = place / "share/vigie"
    for name, target in PLACES.items():
        put(manifest, share / name, target)
    make_user(manifest)
    link(manifest, CURRENT / "bin/vigie", Path("/usr/local/bin/vigie"))
    CONFIG.mkdir(mode=0o755, parents=True, exist_ok=True)
    for secret in SECRETS:
        if not secret.exists():
            write(secret, "", mode=0o600)
            changed(str(secret))
    if not (CONFIG / "vigie.toml").exists():
        put(manifest, share / "example.toml", CONFIG / "vigie.toml.example")
    if not systemd_runs():
        return
    if not works("sysctl", "--quiet", "--system"):
        say("the kernel refused a setting: sysctl --system says which")
    works("udevadm", "control", "--reload")
    for subsystem in ("gpio", "i2c-dev", "spidev"):
        works("udevadm", "trigger", f"--subsystem-match={subsystem}")
    run("systemctl", "daemon-reload")


def enable() -> None:
    """Have the service started at each boot."""
    if shutil.which("systemctl"):
        run("systemctl", "enable", "--quiet", "vigie")


def stop() -> None:
    """Stop the service; every box has power afterwards."""
    run("systemctl", "stop", "vigie")


def start() -> bool:
    """Start the service and wait until it is ready; False if that does not come."""
    return works("systemctl", "start", "vigie")


def reset() -> None:
    """Forget failures, so that it may be started at once."""
    works("systemctl", "reset-failed", "vigie")


def last_words(since: float) -> str:
    """What the service said last, since this time (seconds since the epoch)."""
    done = subprocess.run(
        ["journalctl", "-u", "vigie", "-n", "8", "--since", f"@{since:.0f}", "--no-pager", "-o", "cat"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def remove(manifest: Manifest, *, purge: bool) -> None:
    """Remove what the manifest says was made; configuration and state only with ``purge``.

    Raises:
        InstallError: nothing is installed.
    """
    if not PREFIX.exists():
        raise InstallError("nothing is installed here")
    if systemd_runs():
        works("systemctl", "disable", "--now", "--quiet", "vigie")
    elif shutil.which("systemctl"):
        works("systemctl", "disable", "--quiet", "vigie")
    for name in reversed(manifest.files):
        _unlink(Path(name))
    if purge:
        for folder in (CONFIG, Path("/var/lib/vigie")):
            if folder.exists():
                shutil.rmtree(folder)
                changed(f"{folder} removed")
    for user in manifest.users:
        if works("userdel", user):
            changed(f"user {user} removed")
    for group in manifest.groups:
        # Its own group goes with the user; one that others have joined since cannot be removed.
        if works("getent", "group", group) and works("groupdel", group):
            changed(f"group {group} removed")
    shutil.rmtree(PREFIX)
    changed(f"{PREFIX} removed")
    if manifest.packages and shutil.which("apt-mark"):
        run("apt-mark", "-qq", "auto", *manifest.packages, quiet=True)
        say(
            f"no longer needed by Vigie: {' '.join(manifest.packages)};"
            " apt autoremove takes what nobody else needs"
        )
    if systemd_runs():
        run("systemctl", "daemon-reload")
        reset()
        say("kernel settings stay as they are until the next boot")
    if not purge:
        kept = [str(folder) for folder in (CONFIG, Path("/var/lib/vigie")) if folder.exists()]
        say(f"kept: {', '.join(kept) or 'nothing'}; --purge removes them as well")


def _unlink(path: Path) -> None:
    if path.is_relative_to(PREFIX):
        return  # goes with the whole folder
    if path.is_symlink() or path.exists():
        path.unlink()
        changed(f"{path} removed")
