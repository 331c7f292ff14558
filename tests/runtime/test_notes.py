"""Proofs, hold, texts, signals, spent data survive; damage says nothing rather than something wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.alerts import Told
from agent.core.codes import Code
from agent.core.durable import Durable
from agent.core.instant import Stamp
from agent.core.letters import Fate, Letter, TextCode, Texting
from agent.core.model import Part
from agent.core.outside import Outer
from agent.core.people import OpenHold
from agent.core.radio import Air, Day
from agent.core.spending import Spending
from agent.runtime.notes import ADDRESSES, ALERTS, HOLD, PROOFS, SIGNALS, SPENDING, TEXTS, Notes

AT = Stamp(12.5, 1.8e9, True, "boot")
WIRING = {"ont": "gpio17 cuts ftth on eth0", "dish": "gpio27 cuts starlink on eth1"}
AIR = Air(at=5.0, rsrp_dbm=-90.0, days=(Day(20000, -91.5, 1440), Day(20001, -90.25, 12)))
THEN = OpenHold(AT, 3600.0, "Anne à l'atelier")
LETTERS = tuple(
    Letter(f"run-{n}", "+33612345678", code, "run-0", AT, AT, "stick", fate, n, over=n > 1)
    for n, (code, fate) in enumerate(zip([*TextCode, TextCode.BACK], Fate, strict=True))
)
SENT = Texting(LETTERS, AT)


def test_a_new_folder_has_no_notes(tmp_path: Path) -> None:
    """And nothing is wrong with that."""
    notes = Notes(tmp_path, WIRING)
    assert (notes.proven, notes.hold, notes.texting, notes.faults) == ({}, None, None, [])


def test_notes_survive(tmp_path: Path) -> None:
    """Proofs and hold come back as they were, and go when they are taken away."""
    notes = Notes(tmp_path, WIRING)
    notes.save_proof("ont", AT)
    notes.save_proof("dish", AT, by_silence=True)
    notes.save_hold(THEN)
    notes.save_air("4g", AIR)
    notes.save_air("5g", Air(rsrp_dbm=-80.0))
    again = Notes(tmp_path, WIRING)
    assert (again.proven, again.hold, again.faults) == ({"ont": AT, "dish": AT}, THEN, [])
    assert again.behind_switch == {"dish"}
    assert again.airs == {"4g": Air(days=AIR.days), "5g": Air()}
    again.save_proof("dish", None)
    again.save_hold(None)
    last = Notes(tmp_path, WIRING)
    assert (last.proven, last.hold) == ({"ont": AT}, None)


def test_public_addresses_survive_and_damage_says_nothing(tmp_path: Path) -> None:
    """So that one that changed while nobody watched is told; the rest is as if there had never been any."""
    notes = Notes(tmp_path, WIRING)
    notes.save_outer("ftth", Outer("81.2.69.1", False))
    notes.save_outer("4g", Outer(None, True))
    assert Notes(tmp_path, WIRING).outers == {"ftth": Outer("81.2.69.1", False), "4g": Outer(None, True)}
    (tmp_path / ADDRESSES).write_text("{")
    again = Notes(tmp_path, WIRING)
    assert again.outers == {}
    assert [part.name for part in again.faults] == ["public"]


@pytest.mark.parametrize("memory", [SENT, Texting(), Texting(lost=AT), Texting(LETTERS[:1])])
def test_the_memory_of_text_messages_survives(tmp_path: Path, memory: Texting) -> None:
    """Every kind of message with every fate, and that an earlier memory was lost."""
    Notes(tmp_path, WIRING).save_texting(memory)
    again = Notes(tmp_path, WIRING)
    assert (again.texting, again.faults) == (memory, [])


@pytest.mark.parametrize("name", [PROOFS, HOLD, SIGNALS, TEXTS])
@given(damage=st.binary(max_size=200))
def test_any_damage_is_said_and_believed_by_nobody(
    name: str, damage: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever stands in the file: no proof, no hold, and a part that does not work names it."""
    folder = tmp_path_factory.mktemp("notes")
    (folder / name).write_bytes(damage)
    notes = Notes(folder, WIRING)
    assert (notes.proven, notes.hold, notes.airs, notes.texting) == ({}, None, {}, None)
    (fault,) = notes.faults
    assert (fault.name, fault.ok, fault.code) == (name.removesuffix(".json"), False, Code.PART_FAILED)
    assert name in fault.detail


@pytest.mark.parametrize("name", [PROOFS, HOLD, SIGNALS, TEXTS])
@given(data=st.data())
def test_every_flipped_bit_is_noticed(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A proof of another box, or a longer hold, is not made by a bad card."""
    folder = tmp_path_factory.mktemp("notes")
    notes = Notes(folder, WIRING)
    notes.save_proof("ont", AT)
    notes.save_hold(THEN)
    notes.save_air("4g", AIR)
    notes.save_texting(SENT)
    good = bytearray((folder / name).read_bytes())
    at = data.draw(st.integers(0, len(good) - 2))  # the last byte ends the line
    good[at] ^= 1 << data.draw(st.integers(0, 6))
    (folder / name).write_bytes(bytes(good))
    read = Notes(folder, WIRING)
    airs = {"4g": Air(days=AIR.days)}
    kept = (read.proven, read.hold, read.airs, read.texting) == ({"ont": AT}, THEN, airs, SENT)
    said = {PROOFS: read.proven, HOLD: read.hold, SIGNALS: read.airs, TEXTS: read.texting}[name]
    lost = said in ({}, None) and read.faults
    # A flipped bit in the blanks between, or in a letter's case of an escape, changes nothing that is said.
    assert kept or lost


def test_a_proof_saved_after_damage_is_whole(tmp_path: Path) -> None:
    """The file begins anew."""
    (tmp_path / PROOFS).write_text("{")
    Notes(tmp_path, WIRING).save_proof("ont", AT)
    again = Notes(tmp_path, WIRING)
    assert (again.proven, again.faults) == ({"ont": AT}, [])


def test_what_cannot_be_written_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    """Neither on the disk nor in memory."""
    notes = Notes(tmp_path, WIRING)
    notes.save_proof("ont", AT)
    (tmp_path / f"{PROOFS}.new").mkdir()
    with pytest.raises(OSError, match=PROOFS):
        notes.save_proof("dish", AT)
    assert notes.proven == {"ont": AT}
    assert Notes(tmp_path, WIRING).proven == {"ont": AT}


def test_a_proof_holds_for_the_wiring_that_was_proven(tmp_path: Path) -> None:
    """A relay moved to another pin may cut another box; a box that has gone has no proof."""
    notes = Notes(tmp_path, WIRING)
    notes.save_proof("ont", AT)
    notes.save_proof("dish", AT)
    moved = Notes(tmp_path, {"ont": "gpio18 cuts ftth on eth0"})
    assert (moved.proven, moved.faults) == ({}, [])


def test_a_torn_write_leaves_the_former_file(tmp_path: Path) -> None:
    """A power loss in the middle of a write costs the write, not the proofs."""
    Notes(tmp_path, WIRING).save_proof("ont", AT)
    (tmp_path / f"{PROOFS}.new").write_text('{"content": {"ont"')
    assert Notes(tmp_path, WIRING).proven == {"ont": AT}


def test_the_file_can_be_read_by_people(tmp_path: Path) -> None:
    """It is JSON, by box."""
    Notes(tmp_path, WIRING).save_proof("ont", AT)
    assert json.loads((tmp_path / PROOFS).read_text())["content"]["ont"] == {
        "at": {"mono": 12.5, "wall": 1.8e9, "synced": True, "boot": "boot"},
        "wiring": "gpio17 cuts ftth on eth0",
        "by_silence": False,
    }


def test_a_fault_is_a_part_like_any_other(tmp_path: Path) -> None:
    """So that it becomes a finding."""
    (tmp_path / HOLD).write_text("[]")
    assert all(isinstance(fault, Part) for fault in Notes(tmp_path, WIRING).faults)


# --- data budgets -----------------------------------------------------------------------------------------

LIMITS = {"4g": 50_000_000, "sat": 9_000_001}


def test_what_was_told_survives(tmp_path: Path) -> None:
    """A restart tells nothing anew; if the file is damaged, it does."""
    told = (
        Told(Code.RELAY_NO_EFFECT, "box-ftth", AT, AT, reminders=2),
        Told(Code.SIGNAL_WEAK, "4g", AT, AT, over=True),
    )
    Notes(tmp_path, WIRING).save_told(told)
    again = Notes(tmp_path, WIRING)
    assert (again.told, again.faults) == (told, [])
    assert again.added_to(Durable()).told == told
    (tmp_path / ALERTS).write_text((tmp_path / ALERTS).read_text().replace("signal_weak", "signal_good"))
    damaged = Notes(tmp_path, WIRING)
    assert damaged.told == ()
    assert [fault.name for fault in damaged.faults] == ["alerts"]


def test_what_was_used_survives(tmp_path: Path) -> None:
    """Of every uplink that has a budget; an uplink that has none any more is forgotten."""
    notes = Notes(tmp_path, WIRING, LIMITS)
    assert (notes.spendings, notes.faults) == ({}, [])
    notes.save_spending("4g", Spending("2027-01", 12, 34))
    notes.save_spending("sat", Spending(None, 5))
    again = Notes(tmp_path, WIRING, LIMITS)
    assert again.spendings == {"4g": Spending("2027-01", 12, 34), "sat": Spending(None, 5)}
    assert Notes(tmp_path, WIRING, {"sat": 1}).spendings == {"sat": Spending(None, 5)}


@given(damage=st.binary(max_size=200))
def test_a_damaged_count_is_half_of_the_budget(
    damage: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither nothing nor all of it, and a part says so."""
    folder = tmp_path_factory.mktemp("notes")
    (folder / SPENDING).write_bytes(damage)
    notes = Notes(folder, WIRING, LIMITS)
    assert {name: spending.used_bytes for name, spending in notes.spendings.items()} == {
        "4g": 25_000_000,
        "sat": 4_500_000,
    }
    assert [(fault.name, fault.ok) for fault in notes.faults] == [("spending", False)]


@given(data=st.data())
def test_no_flipped_bit_gives_data_back(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What is read is what was written, or it counts as half."""
    folder = tmp_path_factory.mktemp("notes")
    Notes(folder, WIRING, LIMITS).save_spending("4g", Spending("2027-01", 40_000_000, 1))
    good = bytearray((folder / SPENDING).read_bytes())
    at = data.draw(st.integers(0, len(good) - 2))
    good[at] ^= 1 << data.draw(st.integers(0, 6))
    (folder / SPENDING).write_bytes(bytes(good))
    read = Notes(folder, WIRING, LIMITS)
    assert read.spendings["4g"].used_bytes == 40_000_001 or (
        read.faults and read.spendings["4g"].used_bytes == 25_000_000
    )
