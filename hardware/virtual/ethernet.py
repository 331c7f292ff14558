"""What the virtual bay asks of a network interface by system call; call it inside the right namespace."""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
from contextlib import suppress

_SIOCGIFFLAGS = 0x8913  # <linux/sockios.h>
_SIOCETHTOOL = 0x8946
_IFF_RUNNING = 0x40  # <linux/if.h>; follows the operational state
_STXCSUM, _SSG, _STSO, _SGSO, _SGRO = 0x17, 0x19, 0x1F, 0x24, 0x2C  # <linux/ethtool.h>


def switch_offloads_off(interface: str) -> None:
    """Make the kernel finish every frame before it leaves ``interface``.

    A virtual cable otherwise carries frames of 64 kB with checksums still to be filled in, which is
    harmless between two kernels and fatal once a program carries them over.

    Raises:
        OSError: no such interface, or checksums cannot be switched off.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        _ethtool(control, interface, _STXCSUM)
        for command in (_STSO, _SGSO, _SGRO, _SSG):
            # Without checksums the kernel has taken these away already and may refuse to be asked again.
            with suppress(OSError):
                _ethtool(control, interface, command)


def _ethtool(control: socket.socket, interface: str, command: int) -> None:
    value = ctypes.create_string_buffer(struct.pack("II", command, 0), 8)
    request = struct.pack("16sP8x", interface.encode(), ctypes.addressof(value))
    fcntl.ioctl(control, _SIOCETHTOOL, request)


def is_running(interface: str) -> bool:
    """Whether the interface exists, is up and has a carrier; the kernel may be a second late with it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control, suppress(OSError):
        answer = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sH14x", interface.encode(), 0))
        return bool(struct.unpack_from("16xH", answer)[0] & _IFF_RUNNING)
    return False
