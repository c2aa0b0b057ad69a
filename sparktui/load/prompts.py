"""Prompts of an exact length by the server's own count, seeded, no two of which begin alike.

Texts are plain words that are one token each, as far as the server's tokenizer has such; a salt stands at the front,
so that no prefix cache can help. What is random is drawn from the seed and the request's place alone, so every
topology gets the same prompts.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from functools import cache
from math import ceil, log2
from pathlib import Path
from typing import Literal, Protocol

from sparktui.errors import UsageError
from sparktui.load.request import Prompt
from sparktui.load.single import one_token_words

Method = Literal["tokenize", "usage", "words"]

SALT_BITS = 48
"""Of 10 000 prompts two begin alike with a chance of one in five million."""
LEAD = "Note"
"""A text's first word, always the same: tokenizers treat a word without a space before it in their own way."""

_MIN_POOL = 64
_PROVEN_AFTER = 8
_MAX_CORRECTIONS = 64
_COUNTING_AT_ONCE = 8
_STRIDE = 37
"""How far apart in the word list corrections begin: prime, so that each meets other words."""
_RATIO_WORDS = 64


class TokenCounter(Protocol):
    """The server's own token count."""

    method: Method
    """How it counts: `usage` runs the prompt, which leaves it in the server's prefix cache."""

    async def count(self, prompt: Prompt) -> int:
        """Return the tokens the server sees in a prompt, template included.

        Raises:
            EngineError: If the server does not say.
        """


class Draft:
    """A prompt as lists of words, before it is joined."""

    def __init__(self, system: list[str] | None, user: list[str]) -> None:
        self.system = system
        self.user = user

    def prompt(self, tokens: int | None = None) -> Prompt:
        """Return it as text."""
        system = None if self.system is None else " ".join(self.system)
        return Prompt(user=" ".join(self.user), system=system, tokens=tokens)


class PromptSet:
    """All prompts of a workload; `exact` and `method` tell how far their lengths can be relied on."""

    def __init__(self, seed: int, counter: TokenCounter | None, pp: int, depth: int = 0) -> None:
        self.exact = counter is not None
        """Whether every prompt so far has `pp` + `depth` tokens by the server's count."""
        self.method: Method = "words" if counter is None else counter.method
        self._seed = seed
        self._pp = pp
        self._depth = depth
        self._counter = counter
        self._pool = shipped_words()
        self._tokens_per_word = 1.0
        self._overhead = 1
        self._right_at_once = 0
        self._additive = False
        self._prepared = False
        self._gate = asyncio.Semaphore(_COUNTING_AT_ONCE)

    @property
    def tokens(self) -> int:
        """The length asked for."""
        return self._pp + self._depth

    async def prepare(self) -> None:
        """Learn the tokenizer's one-token words and the template's length; `wave` does it where it was not done.

        Raises:
            UsageError: If the template alone is longer than the prompt may be.
            EngineError: If the server does not count.
        """
        if self._prepared:
            return
        if self._counter is not None:
            await self._learn(self._counter)
        if self._room() < 1:
            raise UsageError(
                f"A prompt of {self.tokens} tokens is too short: its template and first word alone take "
                f"{self._overhead}.",
                f"Use pp of {self._overhead + 1} or more.",
            )
        if self.method == "usage":
            await self._calibrate_on_twins()
        self._prepared = True

    async def wave(self, concurrency: int, seq: int, *, warmup: bool = False, again: int = 0) -> list[Prompt]:
        """Return the prompts of one wave, one a slot; other ones for each try `again` of it.

        Raises:
            UsageError: If the template alone is longer than the prompt may be.
            EngineError: If the server does not count.
        """
        place = _place(concurrency, seq, warmup, again)
        return await self._at([f"{place} {slot}" for slot in range(concurrency)])

    async def pool(
        self, concurrency: int, seq: int, turns: int, *, warmup: bool = False, again: int = 0
    ) -> list[list[Prompt]]:
        """Return the prompts of one pool run, by slot and turn; other ones for each try `again` of it.

        Raises:
            UsageError: If the template alone is longer than the prompt may be.
            EngineError: If the server does not count.
        """
        place = _place(concurrency, seq, warmup, again)
        every = await self._at([f"{place} {slot} {turn}" for slot in range(concurrency) for turn in range(turns)])
        return [every[first : first + turns] for first in range(0, len(every), turns)]

    async def _at(self, places: list[str]) -> list[Prompt]:
        await self.prepare()
        drafts = []
        for place in places:
            drafts.append(self._draft(place))
            await asyncio.sleep(0)  # Long contexts take milliseconds each.
        if self.method == "tokenize":
            await self._verify(drafts)
        return [draft.prompt(self.tokens if self.exact else None) for draft in drafts]

    async def _verify(self, drafts: list[Draft]) -> None:
        """Count every prompt; once the words have proven to add up, the first of each wave stands for the others."""
        if self._additive and self._right_at_once >= _PROVEN_AFTER:
            await self._correct(drafts[0])
            if self._right_at_once:
                return
        await asyncio.gather(*map(self._correct, drafts))

    async def _learn(self, counter: TokenCounter) -> None:
        words = shipped_words()
        lead = self._lead()
        self._overhead = await counter.count(lead.prompt())

        async def fits(some: list[str]) -> bool:
            async with self._gate:
                longer = Draft(lead.system, lead.user + some)
                return await counter.count(longer.prompt()) - self._overhead == len(some)

        pool = await one_token_words(words, fits)
        if len(pool) >= _MIN_POOL:
            self._pool, self._additive = pool, True
            return
        sample = Draft(lead.system, lead.user + words[:_RATIO_WORDS])
        more = await counter.count(sample.prompt()) - self._overhead
        self._tokens_per_word = max(0.1, more / _RATIO_WORDS)

    async def _calibrate_on_twins(self) -> None:
        """Check the length on prompts of another salt: to run the real ones would leave them in the prefix cache."""
        assert self._counter is not None
        for attempt in range(4):
            off = self.tokens - await self._counter.count(self._draft(f"twin {attempt}").prompt())
            if off == 0:
                return
            self._overhead -= off
        self.exact = False

    def _lead(self) -> Draft:
        return Draft([LEAD] if self._depth else None, [LEAD])

    def _room(self) -> int:
        return round((self.tokens - self._overhead) / self._tokens_per_word)

    def _draft(self, place: str) -> Draft:
        digest = hashlib.blake2b(f"{self._seed} {self._pp} {self._depth} {place}".encode(), digest_size=32).digest()
        rng = random.Random(int.from_bytes(digest, "little"))  # noqa: S311 - reproducible on purpose
        room = self._room()
        # Every word is drawn, so the first few are the salt that stands at the front.
        words = rng.choices(self._pool, k=max(room, 0))
        if not self._depth:
            return Draft(None, [LEAD, *words])
        in_system = min(room, max(self._salt_words(), room - round(self._pp / self._tokens_per_word) + 1))
        return Draft([LEAD, *words[:in_system]], [LEAD, *words[in_system:]])

    def _salt_words(self) -> int:
        return ceil(SALT_BITS / log2(len(self._pool)))

    async def _correct(self, draft: Draft) -> None:
        """Make a draft exactly as long as it should be, by the server's count."""
        assert self._counter is not None
        for attempt in range(_MAX_CORRECTIONS):
            async with self._gate:
                off = self.tokens - await self._counter.count(draft.prompt())
            if off == 0:
                self._right_at_once += attempt == 0
                return
            self._right_at_once = 0
            self._change(draft, off, attempt)
        self.exact = False

    def _change(self, draft: Draft, off: int, attempt: int) -> None:
        """Take words from the end, or put others there: never the same again, and never only what was just put."""
        words = max(1, round(abs(off) / self._tokens_per_word))
        if off < 0:
            kept = len(draft.user) - words - (not self._additive)
            del draft.user[max(1, kept) :]
            return
        start = (attempt + 1) * _STRIDE
        draft.user += [self._pool[(start + i) % len(self._pool)] for i in range(words)]


def _place(concurrency: int, seq: int, warmup: bool, again: int) -> str:
    return f"{'warmup' if warmup else 'wave'} {concurrency} {seq}" + (f" again {again}" if again else "")


@cache
def shipped_words() -> list[str]:
    """Return the word list, the commonest first."""
    return (Path(__file__).parent / "words.txt").read_text(encoding="ascii").split()
