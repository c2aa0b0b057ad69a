"""Finds which words are one token each with few questions, by asking for many words at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

ENOUGH = 512
_BLOCK = 32
_MAX_QUESTIONS = 256
_AT_ONCE = 8


async def one_token_words(words: Sequence[str], fits: Callable[[list[str]], Awaitable[bool]]) -> list[str]:
    """Return words that are one token each, in the order given; enough of them, not all.

    Args:
        words: Candidates, the likeliest first.
        fits: Whether these words, after a space each, add exactly as many tokens as they are.
    """
    found: list[str] = []
    asked = 0
    blocks = [list(words[i : i + _BLOCK]) for i in range(0, len(words), _BLOCK)]
    while blocks and len(found) < ENOUGH and asked < _MAX_QUESTIONS:
        now, blocks = blocks[:_AT_ONCE], blocks[_AT_ONCE:]
        asked += len(now)
        for block, ok in zip(now, await asyncio.gather(*map(fits, now)), strict=True):
            if ok:
                found += block
            elif len(block) > 1:
                # Halves are asked for only when all whole blocks have been.
                blocks += [block[: len(block) // 2], block[len(block) // 2 :]]
    return sorted(found, key=words.index)
