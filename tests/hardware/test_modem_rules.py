"""The udev rule that makes ModemManager leave modems alone."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RULES = (ROOT / "systemd" / "vigie-modems.rules").read_text().splitlines()
ACTIVE = [line for line in RULES if line and not line.startswith("#")]


def test_it_only_sets_what_modemmanager_reads() -> None:
    """No name, owner, mode or program: it can do nothing else."""
    assert ACTIVE[0].endswith('GOTO="vigie_modems_end"')
    assert ACTIVE[-1] == 'LABEL="vigie_modems_end"'
    for line in ACTIVE[1:-1]:
        *matches, deed = line.split(", ")
        assert all(re.fullmatch(r'ATTRS\{id(Vendor|Product)\}=="[0-9a-f*]+"', match) for match in matches), (
            line
        )
        assert deed == 'ENV{ID_MM_DEVICE_IGNORE}="1"', line


def test_the_makers_of_the_document_are_in_it() -> None:
    """Quectel, SIMCom, Huawei, Sierra, and Dell's modules but not Dell's keyboards."""
    vendors = {match[1] for line in ACTIVE if (match := re.search(r'idVendor\}=="(....)"', line))}
    assert vendors == {"2c7c", "1e0e", "12d1", "1199", "413c"}
    assert all("idProduct" in line for line in ACTIVE if "413c" in line)


def test_it_says_how_it_is_installed_as_the_document_does() -> None:
    """The name must sort before ModemManager's own rules (80-...)."""
    command = "sudo cp systemd/vigie-modems.rules /etc/udev/rules.d/78-vigie-modems.rules"
    assert any(command in line for line in RULES)
    assert command in (ROOT / "docs" / "modems.md").read_text()
