"""The device that speaks for an uplink of the virtual bay, by the word of scenario files."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from hardware.virtual.box import VirtualBox
from hardware.virtual.emulator import Line
from hardware.virtual.netns import NamespaceError
from hardware.virtual.processes import find_program
from hardware.virtual.speaks import at_device
from hardware.virtual.voice import Voice

BBOX_NAME = "mabbox.bytel.fr"
"""A Bbox speaks under this name only, and encrypted."""


def make_voice(
    speaks: str, box: VirtualBox, line: Line, folder: Path, certificate: Path | None, seed: str
) -> Voice:
    """The device for one box; it does nothing before ``start``.

    Args:
        speaks: one of ``speaks.SPEAKS``.
        box: whose it is.
        line: what is behind the box.
        folder: of the bay.
        certificate: of a Bbox.
        seed: of what it draws by lot.
    """
    # Imported here: a bay of fibres alone needs none of them.
    if speaks == "hilink":
        from hardware.virtual.hilink import HiLink

        return HiLink(box, line, random.Random(seed))
    if speaks == "at":
        from hardware.virtual.at_voice import AtVoice

        return AtVoice(box, line, at_device(folder, box.plan.name))
    from hardware.virtual.web_voice import WebVoice

    return WebVoice(box, line, speaks, certificate if speaks == "bbox" else None)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A Bbox's key with its certificate, and that alone: it signed itself, so whoever trusts it must have it.

    Raises:
        NamespaceError: the program that makes it is missing.
    """
    openssl = find_program("openssl")
    if openssl is None:
        raise NamespaceError("the program openssl is missing (Debian: apt install openssl)")
    path = folder / "bbox.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Bbox"]
    command += [
        "-addext",
        f"subjectAltName=DNS:{BBOX_NAME}",
        "-addext",
        "keyUsage=critical,digitalSignature,keyCertSign",
    ]
    subprocess.run(
        [*command, "-keyout", folder / "bbox.key", "-out", folder / "bbox.crt"],
        check=True,
        capture_output=True,
    )
    path.write_bytes((folder / "bbox.key").read_bytes() + (folder / "bbox.crt").read_bytes())
    return path, folder / "bbox.crt"
