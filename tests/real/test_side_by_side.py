"""sparktui's llama-benchy figures against those of the real llama-benchy, of one and the same server.

A disturbed wave is slower than the others, never faster, and a shared machine disturbs many: both tools get further
rounds until the medians over all waves of all rounds agree, up to a limit.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from tests.bench.side_by_side import PROMISED, SERVERS, Pair, embedded, of_vllm, race, table

from .environment import Environment
from .llama_benchy import VERSIONS, Version
from .vllm_server import VllmServer

pytestmark = [pytest.mark.real, pytest.mark.timeout(3600)]

AGREEMENT_PCT = 2.0
FEWEST_ROUNDS, MOST_ROUNDS = 3, 8


@pytest.mark.parametrize("version", VERSIONS)
def test_on_the_embedded_engine_both_tools_agree_within_two_percent(version: Version, tmp_path: Path) -> None:
    _, load = SERVERS["embedded"]
    with embedded(tmp_path) as server:
        for pairs in islice(race(server, load, version, tmp_path), FEWEST_ROUNDS - 1, MOST_ROUNDS):
            if not (apart := [pair for pair in promised(pairs) if abs(pair.difference_pct) > AGREEMENT_PCT]):
                break
    assert not apart, table(pairs)


def test_on_a_real_vllm_they_differ_by_less_than_one_tool_from_itself(
    environment: Environment, vllm: VllmServer, tmp_path: Path
) -> None:
    _, load = SERVERS["vllm"]
    for pairs in islice(race(of_vllm(vllm, environment), load, "0.3.5", tmp_path), FEWEST_ROUNDS - 1, MOST_ROUNDS):
        if not (apart := [pair for pair in promised(pairs) if abs(pair.difference_pct) > pair.spread_pct]):
            break
    assert not apart, table(pairs)


def promised(pairs: list[Pair]) -> list[Pair]:
    """Return the figures that are to agree."""
    return [pair for pair in pairs if pair.figure in PROMISED]
