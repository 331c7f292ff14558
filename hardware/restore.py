"""``python -m hardware.restore RELAYS [PINS]``: every box powered, every light dark, without the daemon.

Run after the daemon has ended, however it ended: some kernels keep an output's level when its process
dies, which would leave a box without power for ever, and a LED green for ever. RELAYS holds one relay a line
as ``hardware.relays`` names it, PINS one pin a line (BCM number) to be driven low. Both are written by the
daemon, so that a broken configuration cannot keep a box cut. The boxes come first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from hardware.relays import open_relay


def restore_all(path: Path) -> list[str]:
    """Restore each relay listed in ``path``; return what went wrong, one message a relay."""
    return _for_each_line(path, "relays", _restore)


def darken_all(path: Path) -> list[str]:
    """Drive each pin listed in ``path`` low; return what went wrong, one message a pin."""
    return _for_each_line(path, "pins", _darken)


def _for_each_line(path: Path, what: str, do: Callable[[str], None]) -> list[str]:
    """Do it for each line but blank ones and those that begin with ``#``; no file means nothing to do."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        return [f"cannot read the list of {what}: {error}"]
    troubles = []
    for line in (line.strip() for line in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        try:
            do(line)
        except Exception as error:  # noqa: BLE001 - a fault of one driver must not leave the next box cut
            troubles.append(f"{line}: {str(error) or type(error).__name__}")
    return troubles


def _restore(spec: str) -> None:
    open_relay(spec).close()


def _darken(pin: str) -> None:
    from hardware.gpio import darken

    darken(int(pin))


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 all restored or nothing to do, 1 some not, 2 bad usage."""
    if len(arguments) not in (1, 2):
        sys.stderr.write("usage: python -m hardware.restore RELAYS [PINS]\n")
        return 2
    cut = restore_all(Path(arguments[0]))
    lit = darken_all(Path(arguments[1])) if len(arguments) > 1 else []
    for told, troubles in (("not restored", cut), ("not dark", lit)):
        for trouble in troubles:
            sys.stderr.write(f"{told}: {trouble}\n")
    return 1 if cut or lit else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
