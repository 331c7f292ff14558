"""The digest of the recordings: what is left of them when their days are over."""

from __future__ import annotations

from pathlib import Path

from agent.cli.report_recordings import Recordings
from agent.core.instant import Now
from agent.core.model import Probe, Role, Why
from agent.runtime.digest import FILE_BYTES, KEPT_FILES, Digest, digests, windows
from agent.runtime.trace import Recorder, Start, encode, encode_start

WALL = 1_800_000_000.0 // 900 * 900
MONO = 50.0


def lines(hours: float) -> list[bytes]:
    """A run with an echo each 10 seconds; every seventh is lost, every ninth could not be sent."""
    start = Start("run", "site", Now(MONO, WALL, True, "boot", 0.0))
    found = [encode_start(start)]
    for number in range(round(hours * 360)):
        at = MONO + 10.0 * number
        why = Why.NO_ROUTE if number % 9 == 4 else Why.TIMEOUT if number % 7 == 3 else None
        rtt_ms = None if why else 10.0 + number % 40
        found.append(encode(Probe("ftth", "1.1.1.1", Role.TARGET, at, rtt_ms, why), Now(at)))
    return found


def recorded(folder: Path) -> Recordings:
    return Recordings(folder, [], lambda _: None)


def test_when_the_traces_are_gone_their_digest_says_the_same(tmp_path: Path) -> None:
    """Of every whole quarter of an hour; the last one, which is not over, is gone with them."""
    recorder = Recorder(tmp_path)
    every = lines(3.25)
    for first in range(0, len(every), 100):
        assert recorder.write(every[first : first + 100])
    before = recorded(tmp_path)
    for trace in recorder.files():
        trace.unlink()
    after = recorded(tmp_path)
    kept, seen = after.figures().echoes["ftth"], before.figures().echoes["ftth"]
    assert len(seen) == 13
    assert kept.keys() == set(sorted(seen)[:12])
    for at, quarter in kept.items():
        whole = seen[at]
        assert (quarter.answered, quarter.lost, quarter.rtt_max_ms) == (
            whole.answered,
            whole.lost,
            whole.rtt_max_ms,
        )
        assert abs(quarter.rtt_sum_ms - whole.rtt_sum_ms) < 0.01
    assert before.runs()[-1] == (round(WALL * 1000), round((WALL + 3.25 * 3600 - 10) * 1000))
    assert after.runs() == [(round(WALL * 1000), round((WALL + 3 * 3600 - 10) * 1000))]


def test_what_the_disk_refuses_waits(tmp_path: Path) -> None:
    """A window is not lost for a disk that is full for an hour, nor written twice."""
    folder = tmp_path / "trace"
    folder.touch()
    digest = Digest(folder)
    every = lines(1.0)
    digest.take([*every[:200], b"nonsense", b"{}"])
    folder.unlink()
    digest.take(every[200:])
    begins = [window.begin for window in windows(folder)]
    assert begins == [MONO, MONO + 900, MONO + 1800]


def test_years_take_no_more_room_than_a_few_files(tmp_path: Path) -> None:
    """The oldest file goes when a new one is begun."""
    for number in range(1, KEPT_FILES + 1):
        (tmp_path / f"digest-{number:08d}.jsonl").write_bytes(b"\n" * FILE_BYTES)
    Digest(tmp_path).take(lines(0.5))
    names = [path.name for path in digests(tmp_path)]
    assert len(names) == KEPT_FILES
    assert (names[0], names[-1]) == ("digest-00000002.jsonl", f"digest-{KEPT_FILES + 1:08d}.jsonl")


def test_a_clock_that_was_not_set_is_put_right_by_the_events_of_its_boot(tmp_path: Path) -> None:
    """A Pi has no clock of its own: the run begins in 1970, and its first event was corrected later."""
    start = Start("run", "site", Now(MONO, 12.0, False, "boot", 0.0))
    every = [encode_start(start), *lines(0.5)[1:]]
    Digest(tmp_path).take(every)
    assert recorded(tmp_path).figures().echoes == {}
    known = Recordings(tmp_path, [("boot", WALL + 5.0, MONO + 5.0)], lambda _: None)
    assert list(known.figures().echoes["ftth"]) == [round(WALL * 1000)]
