"""Start of a child process of the bay, run as a program of its own before the program proper.

It moves into a namespace and asks the kernel to kill it together with the bay. This cannot be done
between fork and exec in the bay itself, whose process may have threads.

Arguments: the namespace's file descriptor, the bay's process id, then the program and its arguments.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_CLONE_NEWNET = 0x40000000  # <linux/sched.h>


def main(arguments: list[str]) -> None:
    """Become the program; returns never."""
    namespace, bay = int(arguments[0]), int(arguments[1])
    libc = ctypes.CDLL(None, use_errno=True)
    if (
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0
        or libc.setns(namespace, _CLONE_NEWNET) != 0
    ):
        raise SystemExit(f"cannot enter the bay: {os.strerror(ctypes.get_errno())}")
    os.close(namespace)
    # The bay may have died before the kernel was asked.
    if os.getppid() != bay:
        raise SystemExit("the bay is gone")
    os.execv(arguments[2], arguments[2:])  # noqa: S606 - the bay has found the program on its PATH


if __name__ == "__main__":
    main(sys.argv[1:])
