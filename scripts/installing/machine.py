"""What is done to the machine, told as it is done, and written down so that it can be undone exactly."""

from __future__ import annotations

import filecmp
import grp
import json
import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

PREFIX = Path("/opt/vigie")
MANIFEST = PREFIX / "manifest.json"
CONFIG = Path("/etc/vigie")
STATE = Path("/var/lib/vigie")


class InstallError(RuntimeError):
    """Something that had to work did not; the message is for the person at the terminal."""


@dataclass
class Manifest:
    """What did not exist before Vigie was installed, in the order in which it came."""

    files: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)

    @classmethod
    def read(cls) -> Manifest:
        """As it was last written; empty if nothing is installed.

        Raises:
            InstallError: it cannot be read, so nobody knows what may be removed.
        """
        try:
            return cls(**json.loads(MANIFEST.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError) as error:
            raise InstallError(
                f"{MANIFEST}: {error}; move it away to go on, what is here now then stays at a removal"
            ) from error

    def add(self, kind: str, *names: str) -> None:
        """Note that these were made; on the disk when this returns."""
        noted: list[str] = getattr(self, kind)
        noted.extend(name for name in names if name not in noted)
        write(MANIFEST, json.dumps(asdict(self), indent=1) + "\n")


def say(text: str) -> None:
    """A line for whoever installs."""
    sys.stdout.write(f"vigie: {text}\n")
    sys.stdout.flush()


def changed(text: str) -> None:
    """A line for each thing that is not as it was."""
    sys.stdout.write(f"changed: {text}\n")
    sys.stdout.flush()


def run(*command: str | Path, quiet: bool = False) -> None:
    """Run a command that has to work.

    Raises:
        InstallError: it did not; the message holds the end of what it said.
    """
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=quiet,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        said = "\n".join((done.stderr or "").strip().splitlines()[-8:]) if quiet else "see above"
        raise InstallError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{said}".rstrip())


def works(*command: str | Path) -> bool:
    """Whether a command ends well; what it says is not shown."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that it is always whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(mode)
    draft.replace(path)


def put(manifest: Manifest, source: Path, target: Path, mode: int = 0o644) -> bool:
    """Copy a file if it is not there already; True if it was not."""
    if target.exists() and filecmp.cmp(source, target, shallow=False):
        return False
    was_there = target.exists()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, draft)
    draft.chmod(mode)
    draft.replace(target)
    if not was_there:
        manifest.add("files", str(target))
    changed(str(target))
    return True


def link(manifest: Manifest, target: Path, at: Path) -> None:
    """Make ``at`` point to ``target`` in one instant.

    Raises:
        InstallError: something else is there.
    """
    if at.is_symlink() and at.readlink() == target:
        return
    if at.exists() and not at.is_symlink():
        raise InstallError(f"{at} is in the way: it is no link of Vigie's")
    was_there = at.is_symlink()
    draft = at.with_name(f".{at.name}.new")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(at)
    if not was_there:
        manifest.add("files", str(at))
    changed(f"{at} -> {target}")


def has_package(name: str) -> bool:
    """Whether dpkg has it installed."""
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Status}", name], capture_output=True, text=True, check=False
    )
    return "ok installed" in done.stdout


def install_packages(manifest: Manifest, names: list[str]) -> None:
    """Have apt install what is missing.

    Raises:
        InstallError: apt did not manage; without a network its packages must be there before.
    """
    missing = [name for name in names if not has_package(name)]
    if not missing:
        return
    run("apt-get", "update", "-qq", quiet=True)
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing, quiet=True)
    manifest.add("packages", *missing)
    changed(f"packages: {' '.join(missing)}")


GROUPS = ("gpio", "i2c", "spi", "dialout")


def make_user(manifest: Manifest) -> None:
    """The user and groups of the agent, by systemd where it is, by hand elsewhere."""
    users, groups = _users(), _groups()
    if shutil.which("systemd-sysusers"):
        run("systemd-sysusers", "vigie.conf", quiet=True)
    else:
        for group in GROUPS:
            if group not in groups:
                run("groupadd", "--system", group)
        if "vigie" not in users:
            run(
                "useradd",
                "--system",
                "--user-group",
                "--home-dir",
                STATE,
                "--groups",
                ",".join(GROUPS),
                "vigie",
            )
    made = sorted(_groups() - groups)
    if made:
        manifest.add("groups", *made)
    if _users() - users:
        manifest.add("users", *sorted(_users() - users))
        changed("user vigie")


def _users() -> set[str]:
    return {entry.pw_name for entry in pwd.getpwall()}


def _groups() -> set[str]:
    return {entry.gr_name for entry in grp.getgrall()}


def systemd_runs() -> bool:
    """False in a container or an image being built: there is no running system to set up."""
    return Path("/run/systemd/system").is_dir()
