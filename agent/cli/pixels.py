"""A one-bit picture as text: braille cells of 2 by 4 pixels, or half blocks of 1 by 2.

Braille keeps the shape of a 128x64 screen in 64 by 16 characters, which fits any terminal; half blocks
are solid and read better, but need 128 columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_BRAILLE = 0x2800
_DOTS = (
    (0, 0, 0x01),
    (0, 1, 0x02),
    (0, 2, 0x04),
    (1, 0, 0x08),
    (1, 1, 0x10),
    (1, 2, 0x20),
    (0, 3, 0x40),
    (1, 3, 0x80),
)
"""(column, row, bit) of each dot, as Unicode numbers them."""


def _rows(image: Image) -> list[list[bool]]:
    """Every pixel, true where lit."""
    width, height = image.size
    packed = image.convert("1").tobytes()
    stride = (width + 7) // 8
    return [
        [bool(packed[y * stride + x // 8] & (0x80 >> x % 8)) for x in range(width)] for y in range(height)
    ]


def braille(image: Image) -> tuple[str, ...]:
    """Lines of braille; a size that is no multiple of 2 by 4 is filled up dark."""
    width, height = image.size
    pixels = [[*row, False] for row in _rows(image)]
    pixels += [[False] * (width + 1)] * 3
    return tuple(
        "".join(
            chr(_BRAILLE + sum(bit for dx, dy, bit in _DOTS if pixels[y + dy][x + dx]))
            for x in range(0, width, 2)
        )
        for y in range(0, height, 4)
    )


def half_blocks(image: Image) -> tuple[str, ...]:
    """Lines of half blocks; an odd height is filled up dark."""
    pixels = _rows(image)
    pixels.append([False] * image.size[0])
    return tuple(
        "".join(" ▀▄█"[top + 2 * bottom] for top, bottom in zip(pixels[y], pixels[y + 1], strict=True))
        for y in range(0, image.size[1], 2)
    )
