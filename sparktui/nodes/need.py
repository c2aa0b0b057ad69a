"""What a topology takes of one node's memory, worked out before it is launched: pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sparktui.nodes.sample import NodeSample
from sparktui.profile.model import GIB, Command, Docker, External, Profile, Recipe, Serving, Simulated, Vllm

Basis = Literal["history", "utilization", "weights", "host", "running", "unknown"]
"""What a figure rests on: the node's own earlier runs; gpu_memory_utilization; the weights; nothing but the host side,
where the GPU has memory of its own; nothing at all, where the server is up already; or it is not known."""

VLLM_UTILIZATION = 0.92
"""gpu_memory_utilization of vLLM 0.32 where none is given; it was 0.9 in earlier ones."""
UTILIZATION = re.compile(r"--gpu[-_]memory[-_]utilization(?:=(.*))?\Z", re.DOTALL)
KV_BYTES = re.compile(r"--kv[-_]cache[-_]memory[-_]bytes(=.*)?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Need:
    """What a topology needs of a node, and how that is known."""

    size_bytes: int
    basis: Basis
    how: str
    """The arithmetic, in words."""
    least: bool = False
    """It needs this and more: what else the engine takes is not known."""


def need_of(profile: Profile, topology: str, node: str, sample: NodeSample, earlier: Sequence[int]) -> Need | None:
    """Return what a topology needs of a node; None where nothing says it.

    Args:
        profile: What is to be launched.
        topology: Its name there.
        node: The node's name there.
        sample: A reading of the node: its size, and whether its GPU shares it.
        earlier: What the same launch took of this node before, in bytes; none where it never ran.
    """
    if isinstance(profile.serving, External):
        return Need(0, "running", "its server is up already")
    if earlier:
        times = "its last run" if len(earlier) == 1 else f"its last {len(earlier)} runs"
        return Need(max(earlier), "history", f"the most that {topology} took there in {times}")
    engine = _engine_gib(profile, topology, sample)
    if engine is None:
        return None
    here = engines_beside(profile, topology, node)
    size = here * (engine.gib + profile.memory.host_gib)
    how = " and ".join(part for part in (engine.how, f"{profile.memory.host_gib:g} GiB beside the GPU's") if part)
    return Need(int(size * GIB), engine.basis, f"{how}, {here} times" if here > 1 else how, engine.least)


def engines_beside(profile: Profile, topology: str, node: str) -> int:
    """Return how many engines of a topology share a node's machine, its own included."""
    host = profile.nodes[node].host
    nodes = profile.topologies[topology].nodes
    return 1 if host == "simulated" else sum(profile.nodes[name].host == host for name in nodes)


def utilization(serving: Serving) -> float | None:
    """Return the share of the GPU's memory that each engine is told to take; None where that is not known."""
    match serving:
        case Vllm():
            return _in_words(serving.extra_args, serving.gpu_memory_utilization or VLLM_UTILIZATION)
        case Recipe():
            return _in_words(serving.extra_args, serving.gpu_memory_utilization)
        case Docker() | Command():
            return _in_words(serving.argv, None)
    return None


def weights_gib(profile: Profile, topology: str) -> float | None:
    """Return what one engine, or one rank of a cluster, holds of the weights."""
    described = profile.topologies[topology]
    return profile.model.rank_weights_gib(len(described.nodes) if described.kind == "cluster" else 1)


@dataclass(frozen=True, slots=True)
class _Engine:
    """What one engine takes on the GPU, as far as that is the node's own memory."""

    gib: float
    basis: Basis
    how: str
    least: bool = False


def _engine_gib(profile: Profile, topology: str, sample: NodeSample) -> _Engine | None:
    weights = weights_gib(profile, topology)
    if isinstance(profile.serving, Simulated):
        kv = profile.serving.kv_gib
        return _Engine((weights or 0.0) + kv, "weights", f"weights {weights or 0.0:.1f}, KV cache {kv:.1f}")
    if sample.unified is False:
        return _Engine(0.0, "host", "")
    share = utilization(profile.serving)
    if sample.unified is None:
        return None
    if share is not None and sample.mem_total_bytes is not None:
        total = sample.mem_total_bytes / GIB
        how = f"{share:.2f} of {total:.1f} GiB is {share * total:.1f}"
        return _Engine(max(share * total, weights or 0.0), "utilization", how)
    return None if weights is None else _Engine(weights, "weights", f"weights {weights:.1f}", least=True)


def _in_words(words: Sequence[str], given: float | None) -> float | None:
    """Return the utilization that the last such option of a command line gives; a KV cache given in bytes undoes it."""
    for word, following in zip(words, (*words[1:], ""), strict=False):
        if KV_BYTES.match(word):
            return None
        if (found := UTILIZATION.match(word)) is not None:
            given = _fraction(found[1] if found[1] is not None else following)
    return given


def _fraction(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value <= 1 else None
