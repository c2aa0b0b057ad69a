"""Exact behaviour of the simulated scheduler: it is told what time it is, so nothing here waits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sparktui.sim.model import StepModel
from sparktui.sim.prefix import BLOCK_TOKENS
from sparktui.sim.scheduler import Generation, Limits, Scheduler, Step

# A step costs a second for 1000 prompt tokens, and 0.25 s with one decode alone.
MODEL = StepModel(a=0.0, rate=1000.0, d0=0.125, d1=0.125, p=1.0, overhead=0.5, arrival_gap=0.25)


def scheduler(**limits: int | bool) -> Scheduler:
    return Scheduler(MODEL, Limits(**limits))  # type: ignore[arg-type]


def submitted(target: Scheduler, prompts: Sequence[int], length: int = 4, now: float = 0.0) -> list[Generation]:
    generations = [Generation([number] * tokens, length) for number, tokens in enumerate(prompts)]
    for generation in generations:
        target.submit(generation, now)
    return generations


def next_step(target: Scheduler, free_at: float = 0.0) -> Step:
    begins = target.next_start(free_at)
    assert begins is not None
    step = target.start(begins)
    assert step is not None
    target.finish(step)
    return step


def run_dry(target: Scheduler, free_at: float = 0.0) -> list[Step]:
    steps = []
    while target.next_start(free_at) is not None:
        steps.append(next_step(target, free_at))
        free_at = steps[-1].ends
    return steps


def test_requests_sent_together_arrive_one_gap_apart_after_the_overhead() -> None:
    target = scheduler()
    generations = submitted(target, [10, 10, 10], now=2.0)
    assert [generation.arrives for generation in generations] == [2.5, 2.75, 3.0]
    assert target.next_start(0.0) == 2.5
    assert target.next_start(2.6) == 2.6


def test_the_first_token_comes_at_the_end_of_the_step_that_finishes_the_prefill() -> None:
    target = scheduler(step_tokens=1000)
    (generation,) = submitted(target, [2500], length=2)
    steps = run_dry(target)
    assert [step.prompt_tokens for step in steps] == [1000, 1000, 500, 0]
    assert generation.scheduled == 0.5
    assert generation.first_token == 0.5 + 2.5
    assert generation.last_token == generation.first_token + 0.25


def test_a_prompt_is_chunked_so_that_a_step_never_exceeds_its_budget() -> None:
    target = scheduler(step_tokens=100)
    submitted(target, [130, 130, 130], length=3)
    for step in run_dry(target, 10.0):
        assert step.prompt_tokens + len(step.decodes) <= 100


def test_prompts_are_served_first_come_first_served_and_share_a_step() -> None:
    target = scheduler(step_tokens=100)
    first, second, third = submitted(target, [60, 60, 60], length=1)
    steps = run_dry(target, 10.0)
    assert [[(chunk[0], chunk[1]) for chunk in step.chunks] for step in steps] == [
        [(first, 60), (second, 40)],
        [(second, 20), (third, 60)],
    ]


def test_decodes_go_on_while_a_later_prompt_prefills_and_count_against_the_budget() -> None:
    target = scheduler(step_tokens=100)
    (early,) = submitted(target, [50], length=10)
    next_step(target, 10.0)
    late = Generation([7] * 150, 1)
    target.submit(late, 10.0)
    step = next_step(target, 20.0)
    assert step.decodes == (early,)
    assert step.chunks == ((late, 99),)
    assert early.generated == 2
    assert late.generated == 0


def test_a_step_that_mixes_costs_its_prompt_tokens_and_a_share_of_the_decodes() -> None:
    target = scheduler()
    submitted(target, [50], length=10)
    next_step(target, 10.0)
    target.submit(Generation([7] * 100, 1), 10.0)
    step = next_step(target, 20.0)
    assert step.ends - step.starts == pytest.approx(0.1 + 0.3 * 0.25)


def test_no_more_run_at_once_than_max_num_seqs() -> None:
    target = scheduler(max_num_seqs=2)
    submitted(target, [10, 10, 10], length=3)
    next_step(target, 10.0)
    assert (len(target.running), len(target.waiting)) == (2, 1)
    run_dry(target, 11.0)
    assert (len(target.running), len(target.waiting)) == (0, 0)


def test_a_request_waits_until_the_kv_cache_has_room_for_its_whole_answer() -> None:
    target = scheduler(kv_tokens=10 * BLOCK_TOKENS)
    submitted(target, [6 * BLOCK_TOKENS, 3 * BLOCK_TOKENS], length=2 * BLOCK_TOKENS)
    next_step(target, 10.0)
    assert (len(target.running), len(target.waiting)) == (1, 1)
    assert target.kv_usage == pytest.approx(0.7)
    run_dry(target, 11.0)
    assert target.kv_usage == 0


def test_a_request_that_could_never_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        scheduler(kv_tokens=100).submit(Generation([1] * 90, 20), 0.0)


def test_an_aborted_request_frees_its_slot_wherever_it_is() -> None:
    target = scheduler(max_num_seqs=1, kv_tokens=10 * BLOCK_TOKENS)
    running, waiting, arriving = submitted(target, [50, 50, 50])
    step = target.start(waiting.arrives)
    assert step is not None
    for generation in (running, waiting, arriving):
        target.abort(generation)
    assert target.finish(step) == []
    assert target.next_start(9.0) is None
    assert target.kv_usage == 0
    (next_one,) = submitted(target, [8 * BLOCK_TOKENS], length=BLOCK_TOKENS, now=9.0)
    run_dry(target, 9.0)
    assert next_one.done


def test_a_request_aborted_in_its_last_prefill_step_makes_no_token() -> None:
    target = scheduler()
    (generation,) = submitted(target, [50])
    step = target.start(10.0)
    assert step is not None
    target.abort(generation)
    assert target.finish(step) == []
    assert generation.generated == 0


def test_the_same_prompt_again_is_taken_from_the_prefix_cache_in_whole_blocks() -> None:
    target = scheduler()
    prompt = list(range(100))
    target.submit(Generation(prompt, 1), 0.0)
    run_dry(target)
    again = Generation(prompt, 1)
    target.submit(again, 50.0)
    (step,) = run_dry(target, 50.0)
    assert again.cached == 6 * BLOCK_TOKENS
    assert step.prompt_tokens == 100 - 6 * BLOCK_TOKENS
    assert (target.prefix.queries, target.prefix.hits) == (200, 96)


def test_a_fully_cached_prompt_still_computes_its_last_block() -> None:
    target = scheduler()
    prompt = list(range(2 * BLOCK_TOKENS))
    for now in (0.0, 50.0):
        target.submit(Generation(prompt, 1), now)
        steps = run_dry(target, now)
    assert steps[0].prompt_tokens == BLOCK_TOKENS


def test_a_salt_in_front_defeats_the_prefix_cache() -> None:
    target = scheduler()
    for salt, now in ((1001, 0.0), (1002, 50.0)):
        target.submit(Generation([salt, *range(100)], 1), now)
        run_dry(target, now)
    assert target.prefix.hits == 0


def test_the_prefix_cache_forgets_what_was_used_longest_ago() -> None:
    target = scheduler(kv_tokens=8 * BLOCK_TOKENS)
    prompts = [[number] * (4 * BLOCK_TOKENS) for number in range(3)]
    for at, prompt in enumerate([*prompts, prompts[2], prompts[0]]):
        target.submit(Generation(prompt, 1), 100.0 * at)
        run_dry(target, 100.0 * at)
    assert target.prefix.hits == 3 * BLOCK_TOKENS
