"""``python -m agent.runtime.readable FOLDER``: can this version work with what an agent remembers?

Opens the state folder as the agent does, which may bring it to this version's form: meant for a copy. With
``--only-look`` nothing is written.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from agent.runtime.clock import SystemClock
from agent.runtime.store import Store


def troubles(folder: Path) -> list[str]:
    """What would be lost, one line each."""
    store = Store.open(folder, SystemClock().now())
    try:
        return [f"{fault.name}: {fault.detail}" for fault in store.faults]
    finally:
        store.close()


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 nothing would be lost, 1 something would, 2 bad usage."""
    only_look = "--only-look" in arguments
    folders = [Path(word) for word in arguments if not word.startswith("-")]
    if len(folders) != 1 or not folders[0].is_dir():
        sys.stderr.write("usage: python -m agent.runtime.readable [--only-look] FOLDER\n")
        return 2
    if only_look:
        with tempfile.TemporaryDirectory() as scratch:
            for path in folders[0].iterdir():
                if path.is_file():
                    (Path(scratch) / path.name).write_bytes(path.read_bytes())
            found = troubles(Path(scratch))
    else:
        found = troubles(folders[0])
    sys.stderr.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
