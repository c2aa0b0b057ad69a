from __future__ import annotations

import asyncio
import math

import pytest

from sparktui.errors import UsageError
from sparktui.load.prompts import SALT_BITS, Method, PromptSet, shipped_words
from sparktui.load.request import Prompt
from sparktui.load.single import ENOUGH, one_token_words

TEMPLATE = 11


class WordCounter:
    """A server for which some words are two tokens and the rest one."""

    def __init__(self, long: frozenset[str] = frozenset(), method: Method = "tokenize") -> None:
        self.method = method
        self.long = long
        self.asked: list[Prompt] = []

    async def count(self, prompt: Prompt) -> int:
        self.asked.append(prompt)
        words = f"{prompt.system or ''} {prompt.user}".split()
        return TEMPLATE + len(words) + sum(word in self.long for word in words)


class LetterCounter:
    """A server whose tokens are pieces of four letters: no word is one token for sure."""

    method: Method = "tokenize"

    async def count(self, prompt: Prompt) -> int:
        return TEMPLATE + math.ceil(len(f"{prompt.system or ''}{prompt.user}") / 4)


class UnevenCounter:
    """A server for which every word is two to four tokens."""

    method: Method = "tokenize"

    async def count(self, prompt: Prompt) -> int:
        return TEMPLATE + sum(2 + len(word) % 3 for word in f"{prompt.system or ''} {prompt.user}".split())


class CoarseCounter:
    """A server that counts pairs of tokens: odd lengths cannot be had."""

    method: Method = "tokenize"

    async def count(self, prompt: Prompt) -> int:
        return 2 * len(prompt.user.split())


def test_the_shipped_words_are_plain_and_each_is_there_once() -> None:
    words = shipped_words()
    assert len(words) == len(set(words)) >= 1000
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)


@pytest.mark.parametrize("depth", [0, 1, 300])
@pytest.mark.parametrize("counter", [WordCounter(), WordCounter(frozenset(shipped_words()[::7])), LetterCounter()])
async def test_every_prompt_has_exactly_the_tokens_asked_for(counter: WordCounter | LetterCounter, depth: int) -> None:
    prompts = PromptSet(1, counter, 200, depth)
    made = [prompt for seq in range(3) for prompt in await prompts.wave(8, seq)]
    assert prompts.exact
    assert prompts.method == "tokenize"
    for prompt in made:
        assert await counter.count(prompt) == 200 + depth == prompt.tokens
        assert (prompt.system is not None) == (depth > 0)


async def test_context_is_in_the_system_message_and_the_prompt_in_the_users() -> None:
    (prompt,) = await PromptSet(1, WordCounter(), 100, 300).wave(1, 0)
    assert len(prompt.user.split()) == 100
    assert prompt.system is not None
    assert len(prompt.system.split()) == 300 - TEMPLATE


@pytest.mark.parametrize("depth", [0, 64])
async def test_no_two_prompts_of_a_campaign_begin_alike(depth: int) -> None:
    prompts = PromptSet(7, WordCounter(), 64, depth)
    salt_words = math.ceil(SALT_BITS / math.log2(ENOUGH))
    starts = set()
    n = 0
    for concurrency in (1, 2, 4, 8):
        for warmup in (True, False):
            for seq in range(3):
                for prompt in await prompts.wave(concurrency, seq, warmup=warmup):
                    starts.add(tuple((prompt.system or prompt.user).split()[: 1 + salt_words]))
                    n += 1
    assert len(starts) == n
    assert salt_words <= 8


async def test_the_same_seed_gives_the_same_prompts_and_another_does_not() -> None:
    first = await PromptSet(1, WordCounter(), 64).wave(4, 0)
    assert await PromptSet(1, WordCounter(), 64).wave(4, 0) == first
    assert await PromptSet(2, WordCounter(), 64).wave(4, 0) != first


async def test_prompts_do_not_depend_on_the_waves_before() -> None:
    prompts = PromptSet(1, WordCounter(), 64)
    await prompts.wave(16, 0)
    assert await prompts.wave(4, 3) == await PromptSet(1, WordCounter(), 64).wave(4, 3)


async def test_every_turn_of_a_pool_has_a_prompt_of_its_own_and_the_same_one_for_every_topology() -> None:
    slots = await PromptSet(1, WordCounter(), 64).pool(3, 0, 4)
    assert [len(turns) for turns in slots] == [4, 4, 4]
    texts = [prompt.user for turns in slots for prompt in turns]
    assert len({" ".join(text.split()[1:9]) for text in texts}) == 12
    assert all(prompt.tokens == 64 for turns in slots for prompt in turns)
    assert await PromptSet(1, WordCounter(), 64).pool(3, 0, 4) == slots
    after_others = PromptSet(1, WordCounter(), 64)
    await after_others.pool(8, 1, 2)
    assert await after_others.pool(3, 0, 4) == slots
    assert await after_others.pool(3, 0, 4, warmup=True) != slots


async def test_words_that_have_proven_to_add_up_are_counted_on_a_sample() -> None:
    counter = WordCounter()
    prompts = PromptSet(1, counter, 64)
    await prompts.wave(8, 0)
    before = len(counter.asked)
    await prompts.wave(64, 1)
    assert len(counter.asked) == before + 1


async def test_a_sample_that_is_off_has_its_whole_wave_counted_and_corrected() -> None:
    counter = WordCounter()
    prompts = PromptSet(1, counter, 64)
    await prompts.wave(8, 0)
    counter.long = frozenset(shipped_words()[:40])
    made = await prompts.wave(64, 1)
    assert {await counter.count(prompt) for prompt in made} == {64}
    assert prompts.exact


async def test_counting_by_usage_never_runs_a_prompt_that_will_be_measured() -> None:
    counter = WordCounter(method="usage")
    prompts = PromptSet(1, counter, 64)
    made = [prompt for seq in range(4) for prompt in await prompts.wave(8, seq)]
    assert (prompts.exact, prompts.method) == (True, "usage")
    assert {await counter.count(prompt) for prompt in made} == {64}
    starts = {tuple(prompt.user.split()[:4]) for prompt in counter.asked[: -len(made)] if len(prompt.user.split()) > 9}
    assert not starts & {tuple(prompt.user.split()[:4]) for prompt in made}


async def test_without_a_counter_lengths_are_words_and_said_to_be() -> None:
    prompts = PromptSet(1, None, 64)
    (prompt,) = await prompts.wave(1, 0)
    assert (prompts.exact, prompts.method, prompt.tokens) == (False, "words", None)
    assert len(prompt.user.split()) == 64


async def test_a_length_that_cannot_be_had_is_said_to_be_inexact() -> None:
    prompts = PromptSet(1, CoarseCounter(), 65)
    (prompt,) = await prompts.wave(1, 0)
    assert not prompts.exact
    assert prompt.tokens is None


async def test_an_exact_length_is_found_where_no_word_is_one_token() -> None:
    counter = UnevenCounter()
    prompts = PromptSet(0, counter, 256)
    counts = [await counter.count(prompt) for seq in range(8) for prompt in await prompts.wave(8, seq)]
    assert set(counts) == {256}
    assert prompts.exact


async def test_a_prompt_shorter_than_its_template_is_refused() -> None:
    with pytest.raises(UsageError, match="too short"):
        await PromptSet(1, WordCounter(), TEMPLATE).prepare()


async def test_the_words_are_found_with_few_questions() -> None:
    counter = WordCounter(frozenset(shipped_words()[::50]))
    await PromptSet(1, counter, 64).prepare()
    assert len(counter.asked) < 80


async def test_one_token_words_are_found_among_others() -> None:
    good = {f"g{i}" for i in range(0, 300, 3)}
    asked = 0

    async def fits(words: list[str]) -> bool:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return set(words) <= good

    found = await one_token_words([f"g{i}" for i in range(300)], fits)
    assert set(found) <= good
    assert asked <= 256 + 8
