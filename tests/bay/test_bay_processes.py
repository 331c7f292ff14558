"""Programs in the bay, and what is left when a bay ends, however it ends."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bay_ground import TWO, play

from hardware.virtual.bay import Bay
from hardware.virtual.processes import find_program

pytestmark = pytest.mark.bay
ROOT = Path(__file__).parents[2]

PROGRAM = """
import asyncio, pathlib, signal, sys
from hardware.virtual.bay import Bay, BayUplink

async def main():
    folder = pathlib.Path(sys.argv[1])
    async with Bay(folder, [BayUplink("ftth", "eth1"), BayUplink("cell", "wwan0", "cellular")]) as bay:
        children = [await bay.spawn(space, ["sleep", "60"]) for space in (bay.site, bay.internet)]
        await bay.start_broker()
        answers = [await bay.ping("1.1.1.1", on=name) is not None for name in bay.plans]
        sys.stdout.write(" ".join(map(str, [*(child.pid for child in children), answers])) + "\\n")
        sys.stdout.flush()
        if "stay" in sys.argv:
            await asyncio.sleep(60)

# A shell's background jobs are born deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(main())
"""


def alive(pid: int) -> bool:
    """A process that runs; one that only waits to be taken note of does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children_of(pid: int) -> list[int]:
    """Every process below ``pid``."""
    below = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return below + [deeper for child in below for deeper in children_of(child)]


@contextmanager
def a_bay_elsewhere(folder: Path, *before: str) -> Iterator[subprocess.Popen[str]]:
    """A process with a bay in it that has said its first line and stays."""
    command = [*before, sys.executable, "-c", PROGRAM, str(folder), "stay"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def gone_soon(pids: list[int]) -> bool:
    deadline = time.monotonic() + 3.0
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_ended_bay_leaves_no_process(tmp_path: Path, end: signal.Signals) -> None:
    """Killed or interrupted by Ctrl-C, a bay takes its programs along, the broker too."""
    with a_bay_elsewhere(tmp_path) as process:
        assert process.stdout is not None
        words = process.stdout.readline().split(maxsplit=2)
        pids = children_of(process.pid)
        assert {int(words[0]), int(words[1])} <= set(pids)
        assert len(pids) == (3 if find_program("mosquitto") else 2)
        assert all(alive(pid) for pid in pids)
        process.send_signal(end)
        assert gone_soon([process.pid, *pids])
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"mosquitto.conf", "mosquitto.log", "relay.sock"}
    assert end == signal.SIGKILL or "relay.sock" not in left


def test_namespaces_end_with_the_bay(tmp_path: Path) -> None:
    """No file of the process refers to a namespace after the end, and stopping twice is harmless."""

    def held() -> int:
        links = (str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink())
        return sum(link.startswith(("net:", "/proc/")) and "net" in link for link in links)

    async def act() -> None:
        bay = Bay(tmp_path, TWO)
        await bay.stop()
        for _ in range(2):
            await bay.start()
            await bay.start()
            assert held() >= 7
            await bay.stop()
            await bay.stop()

    before = held()
    asyncio.run(act())
    assert held() == before


def test_failed_start_leaves_nothing(tmp_path: Path) -> None:
    """A bay that cannot listen for its relays takes down what it has built."""

    async def act() -> None:
        with pytest.raises(OSError, match="No such file"):
            await Bay(tmp_path / "missing", TWO).start()

    gc.collect()  # or what earlier tests have left could be closed meanwhile
    before = open_files()
    asyncio.run(act())
    assert open_files() == before


def test_ordinary_user_can_have_a_bay(tmp_path: Path) -> None:
    """In a user namespace of its own the bay needs no root."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("no program unshare")
    become = [unshare, "--user", "--map-root-user", "--net"]
    allowed = subprocess.run([*become, "true"], capture_output=True, text=True, check=False)
    if allowed.returncode != 0:
        pytest.skip(f"user namespaces are not allowed here: {allowed.stderr.strip()}")
    done = subprocess.run(
        [*become, sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.rstrip().endswith("[True, True]")


def test_program_lives_in_its_namespace(tmp_path: Path) -> None:
    """A child sees the namespace's interfaces, gets its arguments and environment, and can be read."""

    async def story(bay: Bay) -> None:
        child = await bay.spawn(
            bay.site,
            ["/bin/sh", "-c", 'cat /proc/net/dev; echo "$WORD" "$1"; ls /proc/self/fd', "sh", "a b"],
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "WORD": "well"},
        )
        out, _ = await child.communicate()
        assert "eth1:" in out.decode()
        assert "wwan0:" in out.decode()
        assert "well a b" in out.decode()
        assert out.decode().split()[-4:] == ["0", "1", "2", "3"], "no file of the bay is handed on"
        assert child.returncode == 0
        with pytest.raises(FileNotFoundError, match="no-such-program"):
            await bay.spawn(bay.site, ["no-such-program"])

    play(tmp_path, story)


def test_stop_kills_what_a_program_has_started(tmp_path: Path) -> None:
    """A program's own children end with the bay, also one that ignores the wish to end."""
    pids: list[int] = []

    async def story(bay: Bay) -> None:
        script = "trap '' TERM INT; sleep 60 & echo $!; wait"
        child = await bay.spawn(bay.site, ["/bin/sh", "-c", script], stdout=asyncio.subprocess.PIPE)
        assert child.stdout is not None
        pids.extend([child.pid, int(await child.stdout.readline())])

    play(tmp_path, story)
    assert len(pids) == 2
    assert gone_soon(pids)


def test_stop_does_not_wait_for_a_runaway(tmp_path: Path) -> None:
    """A program that has left its group and holds a pipe delays the end by two seconds at most."""
    pids: list[int] = []

    async def story(bay: Bay) -> None:
        script = "setsid sleep 30 & echo $!; exec sleep 30"
        child = await bay.spawn(bay.site, ["/bin/sh", "-c", script], stdout=asyncio.subprocess.PIPE)
        assert child.stdout is not None
        pids.append(int(await child.stdout.readline()))
        began_at.append(time.monotonic())

    began_at: list[float] = []
    play(tmp_path, story)
    took_s = time.monotonic() - began_at[0]
    os.kill(pids[0], signal.SIGKILL)
    assert took_s < 4.0


@pytest.mark.broker
@pytest.mark.skipif(find_program("mosquitto") is None, reason="no mosquitto")
def test_broker_is_reached_through_the_uplinks(tmp_path: Path) -> None:
    """From the site a client can connect to the broker over TCP and is welcomed."""

    async def story(bay: Bay) -> None:
        assert await bay.start_broker()
        caller = bay.site.call(
            lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        )
        loop = asyncio.get_running_loop()
        with caller:
            await loop.sock_connect(caller, ("203.0.113.10", 1883))
            # CONNECT of MQTT 3.1.1, clean session, 60 s, client "a"; CONNACK accepts.
            await loop.sock_sendall(caller, b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a")
            assert await loop.sock_recv(caller, 4) == b"\x20\x02\x00\x00"

    play(tmp_path, story)


def test_bay_without_broker_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where mosquitto is not installed, starting it answers false."""
    monkeypatch.setattr("hardware.virtual.broker.find_program", lambda _name: None)

    async def story(bay: Bay) -> None:
        assert not await bay.start_broker()

    play(tmp_path, story)
