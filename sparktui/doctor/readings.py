"""What every node of a profile has left now, and what that means for each of its topologies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from sparktui.doctor.findings import Finding
from sparktui.doctor.findings import Verdict as Mark
from sparktui.doctor.look import Answers, look, whole
from sparktui.errors import HostError
from sparktui.nodes.gpu import GpuReading
from sparktui.nodes.sample import NodeSample
from sparktui.nodes.verdict import Level, Verdict, judge
from sparktui.profile.model import Profile
from sparktui.runner.earlier_needs import earlier_needs
from sparktui.runner.hosts import hosts_of
from sparktui.serving.host import Host

TIMEOUT_S = 15.0
MEMORY_ONLY = (("memory", ""),)
KIB, MIB = 1024, 1024**2
MARKS: dict[Level, Mark] = {"safe": "ok", "tight": "warning", "refuse": "problem", "unknown": "unknown"}


async def read_nodes(profile: Profile, timeout_s: float = TIMEOUT_S) -> dict[str, NodeSample]:
    """Return a reading of every node that answers in time, all asked at once; the others are left out."""
    hosts = hosts_of(profile)
    asked = [_read(name, node.host, hosts[name], timeout_s) for name, node in profile.nodes.items()]
    return {sample.node: sample for sample in await asyncio.gather(*asked) if sample is not None}


async def _read(node: str, host_name: str, host: Host, timeout_s: float) -> NodeSample | None:
    if host_name == "simulated":
        from sparktui.sim.node import read_sample

        return read_sample(Path("/nonexistent"), node, 0)
    try:
        return sample_of(node, await look(host, MEMORY_ONLY, timeout_s))
    except HostError:
        return None


def sample_of(node: str, said: Answers) -> NodeSample:
    """Return what a node said of its memory and of its GPU's as a reading."""
    total_kib, left_kib = said.number("MemTotal"), said.number("MemAvailable")
    total = None if total_kib is None else int(total_kib * KIB)
    return NodeSample(
        t=time.time(),
        node=node,
        mem_total_bytes=total,
        mem_available_bytes=None if left_kib is None else int(left_kib * KIB),
        unified=GpuReading(total_bytes=gpu_bytes(said)).unified(total),
    )


def gpu_bytes(said: Answers) -> int | None:
    """Return the GPU's own memory as `nvidia-smi` tells it: 0 where it has none to tell of, None without a GPU."""
    text = said.one("gpu_memory")
    if text is None:
        return None
    size = whole(text.removesuffix(" MiB")) if text.endswith(" MiB") else None
    return size * MIB if size is not None else 0 if text.startswith("[") else None


def verdicts(profile: Profile, store: Path, samples: Mapping[str, NodeSample]) -> dict[str, dict[str, Verdict]]:
    """Return for every topology a verdict on each of its nodes, the nodes' history in the store taken into account."""
    return {name: judge(profile, name, samples, earlier_needs(store, profile, name)) for name in profile.topologies}


def verdict_findings(judged: Mapping[str, Mapping[str, Verdict]]) -> Iterator[Finding]:
    """Return the verdicts as findings, but for nodes that cannot be read and servers that are up already."""
    for topology, by_node in judged.items():
        for verdict in by_node.values():
            if verdict.basis != "running" and verdict.left_bytes is not None:
                text = f"{topology} {verdict.text.removeprefix(verdict.node).lstrip()}"
                how = f" ({verdict.how})" if verdict.how else ""
                yield Finding(verdict.node, "verdict", MARKS[verdict.level], f"{text}{how}", verdict.hint)
