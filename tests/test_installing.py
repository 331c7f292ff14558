"""What the installation writes, switches and removes, apart from the system's own commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.core.codes import Code, Severity
from agent.core.instant import Now
from agent.core.model import Event
from agent.runtime import readable
from agent.runtime.store import Store
from installing import bundle, keeping, machine, release
from installing.machine import InstallError, Manifest

ROOT = Path(__file__).parent.parent
NOW = Now(mono=100.0, wall=1_800_000_000.0, synced=True, boot="one")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine is touched."""
    monkeypatch.setattr(machine, "MANIFEST", tmp_path / "opt/manifest.json")
    monkeypatch.setattr(keeping, "STATE", tmp_path / "state")
    monkeypatch.setattr(keeping, "KEPT", tmp_path / "kept")
    for name in ("RELEASES", "CURRENT", "PREVIOUS"):
        monkeypatch.setattr(release, name, tmp_path / "opt" / name.lower())


def test_only_what_was_not_there_is_removed_later(tmp_path: Path) -> None:
    """A file that somebody else had put there is changed, but is not Vigie's to remove."""
    source, new, old = tmp_path / "source", tmp_path / "new", tmp_path / "old"
    source.write_text("ours")
    old.write_text("theirs")
    manifest = Manifest()
    assert machine.put(manifest, source, new)
    assert machine.put(manifest, source, old)
    assert not machine.put(manifest, source, new)
    assert Manifest.read().files == [str(new)]


def test_a_damaged_manifest_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Nobody guesses what may be removed."""
    machine.MANIFEST.parent.mkdir()
    for text in ("{", "[]", '{"file": []}'):
        machine.MANIFEST.write_text(text)
        with pytest.raises(InstallError, match=r"manifest\.json"):
            Manifest.read()


def test_a_link_never_takes_the_place_of_something_else(tmp_path: Path) -> None:
    """Only a link is replaced."""
    (tmp_path / "there").write_text("a file")
    with pytest.raises(InstallError, match="in the way"):
        machine.link(Manifest(), tmp_path, tmp_path / "there")


def test_a_release_is_named_by_all_that_is_in_it(tmp_path: Path) -> None:
    """The same sources have the same name, and any change another."""
    for part in ("agent", "hardware", "systemd"):
        (tmp_path / part).mkdir()
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "agent/__init__.py").write_text('__version__ = "1.2.3"\n')
    source = release.Source(tmp_path)
    name = source.name()
    assert name.startswith("1.2.3-")
    (tmp_path / "agent/__pycache__").mkdir()
    (tmp_path / "agent/__pycache__/any.pyc").write_bytes(b"x")
    assert source.name() == name
    (tmp_path / "systemd/vigie.service").write_text("[Unit]")
    assert source.name() != name


def test_switching_keeps_the_version_before_and_no_older(tmp_path: Path) -> None:
    """Two releases stay; one that an attempt left behind does not."""
    manifest = Manifest()
    for name in ("one", "two", "three"):
        (release.RELEASES / name).mkdir(parents=True)
        release.switch(manifest, release.RELEASES / name)
    release.tidy()
    assert release.current() == release.RELEASES / "three"
    assert release.previous() == release.RELEASES / "two"
    assert {path.name for path in release.RELEASES.iterdir()} == {"two", "three"}


def test_a_bundle_for_another_python_says_so(tmp_path: Path) -> None:
    """The message names what the bundle is for and what is here."""
    (tmp_path / "wheels/2.7").mkdir(parents=True)
    with pytest.raises(InstallError, match=r"for Python 2\.7; here is Python 3"):
        assert release.Source(tmp_path).wheels


def test_every_wheel_of_a_bundle_is_pinned_by_its_digest(tmp_path: Path) -> None:
    """Wheels of one version for two machines share a line; pip and lgpio are named when they are used."""
    for name in ("a-1.0-py3-none-any", "b-2-cp311-x86_64", "b-2-cp311-aarch64", "pip-24-py3", "lgpio-1-cp"):
        (tmp_path / f"{name}.whl").write_text(name)
    bundle._write_requirements(tmp_path)
    lines = (tmp_path / "requirements.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["a==1.0", "b==2"]
    assert [line.count("--hash=sha256:") for line in lines] == [1, 2]


def remember(folder: Path, count: int) -> None:
    store = Store.open(folder, NOW, ("mqtt",))
    store.append([(Event(Code.UPLINK_UP, f"n{n}", Severity.INFO), NOW) for n in range(count)])
    store.close()


def test_a_copy_of_the_state_is_whole_while_the_agent_writes(tmp_path: Path) -> None:
    """What is in the log beside the database is in the copy too."""
    store = Store.open(keeping.STATE, NOW, ("mqtt",))
    store.append([(Event(Code.UPLINK_UP, "ftth", Severity.INFO), NOW)])
    keeping.copy(tmp_path / "copy")
    store.close()
    copied = Store.open(tmp_path / "copy", NOW, ("mqtt",))
    assert [recorded.event.subject for recorded in copied.pending("mqtt", 0, 10)] == ["ftth"]
    copied.close()
    assert readable.troubles(tmp_path / "copy") == []


def test_a_version_that_can_read_the_present_state_keeps_it(tmp_path: Path) -> None:
    """Going back loses nothing that happened since."""
    remember(keeping.STATE, 1)
    keeping.keep()
    remember(keeping.STATE, 2)
    here(tmp_path)
    keeping.give_back(tmp_path / "release")
    store = Store.open(keeping.STATE, NOW, ("mqtt",))
    assert len(store.pending("mqtt", 0, 10)) == 3
    store.close()


def test_a_version_that_cannot_gets_what_it_left(tmp_path: Path) -> None:
    """The state of before is put back whole, logs of the newer one included."""
    remember(keeping.STATE, 1)
    keeping.keep()
    (keeping.STATE / "vigie.db").write_bytes(b"of a later version")
    (keeping.STATE / "vigie.db-wal").write_bytes(b"of a later version")
    here(tmp_path)
    keeping.give_back(tmp_path / "release")
    store = Store.open(keeping.STATE, NOW, ("mqtt",))
    assert store.faults == []
    assert len(store.pending("mqtt", 0, 10)) == 1
    store.close()


def here(tmp_path: Path) -> None:
    """A release whose Python is this one, with this project."""
    python = tmp_path / "release/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} "$@"\n')
    python.chmod(0o755)


def test_looking_at_a_state_changes_nothing(tmp_path: Path) -> None:
    """Not a byte of any file."""
    remember(tmp_path / "state", 2)
    before = {path.name: path.read_bytes() for path in (tmp_path / "state").iterdir()}
    assert readable.main(["--only-look", str(tmp_path / "state")]) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "state").iterdir()} == before


@pytest.mark.parametrize(
    ("options", "code"),
    [(["--purge"], 2), (["--rollback", "--uninstall"], 2), (["--anything"], 2), (["--help"], 0)],
)
def test_bad_usage_does_nothing(options: list[str], code: int) -> None:
    """What does not go together is said before anything is touched."""
    done = subprocess.run(
        [ROOT / "scripts/install", *options], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == code
    assert "usage" in done.stdout + done.stderr


def test_what_is_laid_is_what_the_project_ships() -> None:
    """Every file of ``systemd`` is laid, but the rules that not every site may have."""
    from installing.system import PLACES

    laid = {Path(name).name for name in PLACES if name.startswith("systemd/")}
    assert laid == {path.name for path in (ROOT / "systemd").iterdir()} - {"vigie-modems.rules"}
