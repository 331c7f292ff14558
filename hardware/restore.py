"""``python -m hardware.restore FILE``: give every box its power back, without the daemon.

Run after the daemon has ended, however it ended: some kernels keep an output's level when its process
dies, which would leave a box without power for ever. FILE holds one relay a line as ``hardware.relays``
names it; it is written by the daemon, so that a broken configuration cannot keep a box cut.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hardware.relays import open_relay


def restore_all(path: Path) -> list[str]:
    """Restore each relay listed in ``path``; return what went wrong, one message a relay.

    Blank lines and lines that begin with ``#`` are skipped. No file means no relay was ever in use.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    specs = [line.strip() for line in text.splitlines()]
    troubles = (_restore(spec) for spec in specs if spec and not spec.startswith("#"))
    return [trouble for trouble in troubles if trouble is not None]


def _restore(spec: str) -> str | None:
    try:
        open_relay(spec).close()
    except Exception as error:  # noqa: BLE001 - a fault of one driver must not leave the next box cut
        return f"{spec}: {str(error) or type(error).__name__}"
    return None


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 all restored or nothing to do, 1 some not, 2 bad usage."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m hardware.restore FILE\n")
        return 2
    try:
        troubles = restore_all(Path(arguments[0]))
    except OSError as error:
        troubles = [f"cannot read the list of relays: {error}"]
    for trouble in troubles:
        sys.stderr.write(f"not restored: {trouble}\n")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
