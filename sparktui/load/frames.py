"""Length-prefixed msgpack: four bytes, little-endian, then one message of `messages.py`."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import msgspec

from sparktui.load.messages import FromWorker, ToWorker

MAX_FRAME_BYTES = 1 << 30
"""A wave of 512 prompts of 131 072 tokens is about 400 MB."""

_PREFIX_BYTES = 4
_Message = TypeVar("_Message")
_encoder = msgspec.msgpack.Encoder()
_to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


class FrameError(Exception):
    """What arrived is not a frame: the two sides no longer understand each other."""


def encode(message: ToWorker | FromWorker) -> bytes:
    """Return a message as one frame."""
    body = _encoder.encode(message)
    return len(body).to_bytes(_PREFIX_BYTES, "little") + body


async def read_order(stream: asyncio.StreamReader) -> ToWorker | None:
    """Return the next order, None when the runner has gone.

    Raises:
        FrameError: If it is not one.
    """
    return await _read(stream, _to_worker)


async def read_report(stream: asyncio.StreamReader) -> FromWorker | None:
    """Return the worker's next message, None when it has gone.

    Raises:
        FrameError: If it is not one.
    """
    return await _read(stream, _from_worker)


async def _read(stream: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[_Message]) -> _Message | None:
    try:
        size = int.from_bytes(await stream.readexactly(_PREFIX_BYTES), "little")
        if size > MAX_FRAME_BYTES:
            raise FrameError(f"a frame of {size} bytes")
        return decoder.decode(await stream.readexactly(size))
    except asyncio.IncompleteReadError:
        return None
    except msgspec.MsgspecError as error:
        raise FrameError(str(error)) from error
