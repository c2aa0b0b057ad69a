"""The simulated tokenizer and what the simulated model says: one token per word or punctuation mark."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

VOCABULARY_SIZE = 262_144
CHAT_TEMPLATE_TOKENS = (2, 105, 106, 107, 108, 109, 110)
"""What the chat template puts around the messages: begin, turn and role marks."""
FIRST_WORD_ID = 256

_VOCABULARY = """
the of and a to in is that it was for on with as at by from this be are or an which one had not but what all were when
we there can more if no out so up into than them only other new some could time these two may then do first any my now
such like our over man me even most made after also did many before must through back years where much your way well
down should because each just those people too little state good very make world still own see men work long get here
between both life being under never day same another know while last might great old year off come since against go
came right used take three light water stone wind river morning road garden letter engine memory signal bridge city
paper window table music number
"""
WORDS = tuple(_VOCABULARY.split())
_PIECES = re.compile(r"\w+|[^\w\s]")


def encode(text: str) -> list[int]:
    """Return the token ids of a text."""
    return [_token_id(piece) for piece in _PIECES.findall(text)]


def encode_chat(messages: Sequence[str]) -> list[int]:
    """Return the token ids of a conversation, chat template included."""
    tokens = list(CHAT_TEMPLATE_TOKENS)
    for message in messages:
        tokens += encode(message)
    return tokens


def say(seed: int, prompt: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Yield (token id, text) for ever; the same seed and prompt always say the same."""
    rng = random.Random(hash((seed, tuple(prompt))))  # noqa: S311 - the same every time, on purpose
    word = rng.choice(WORDS)
    yield _token_id(word), word
    while True:
        word = rng.choice(WORDS)
        yield _token_id(word), f" {word}"


@lru_cache(maxsize=65_536)
def _token_id(piece: str) -> int:
    return FIRST_WORD_ID + zlib.crc32(piece.encode()) % (VOCABULARY_SIZE - FIRST_WORD_ID)
