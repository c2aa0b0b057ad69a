"""Token events of old campaigns, packed without losing any: the same bytes come back, so every figure does too.

What is packed has a length that is no multiple of their width, as plain events have: nothing else says which it is.
"""

from __future__ import annotations

import zlib

EVENT_BYTES, TOKEN_BYTES = 4, 2
"""What one event takes in `request.events`, and in `request.event_tokens`."""


def condense(plain: bytes, width: int) -> bytes:
    """Return events packed; as they are, where that is no shorter."""
    if len(plain) % width:
        return plain
    # Byte by byte of their significance: the upper ones hardly differ from event to event.
    packed = zlib.compress(b"".join(plain[place::width] for place in range(width)), 9)
    if len(packed) % width == 0:
        packed += b"\0"
    return packed if len(packed) < len(plain) else plain


def expand(stored: bytes, width: int) -> bytes:
    """Return events as they were measured.

    Raises:
        ValueError: They are cut off or damaged.
    """
    if len(stored) % width == 0:
        return stored
    opened = zlib.decompressobj()
    try:
        planes = opened.decompress(stored)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not opened.eof or len(planes) % width:
        raise ValueError("their end is missing")
    count = len(planes) // width
    plain = bytearray(len(planes))
    for place in range(width):
        plain[place::width] = planes[place * count : (place + 1) * count]
    return bytes(plain)
