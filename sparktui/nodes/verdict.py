"""Whether a node can take a topology, said before it is launched: what it will need against what is left. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from sparktui.nodes.guard import GIB, Limits
from sparktui.nodes.need import Basis, Need, engines_beside, need_of, utilization, weights_gib
from sparktui.nodes.sample import NodeSample
from sparktui.profile.model import Profile

Level = Literal["safe", "tight", "refuse", "unknown"]
"""`tight`: enough, but by less than the prediction may be wrong by. `unknown` is launched, but is never `safe`."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One node under one topology; sizes in bytes, None where unknown."""

    level: Level
    node: str
    topology: str
    left_bytes: int | None
    """MemAvailable now."""
    needed_bytes: int | None
    remainder_bytes: int | None
    """What should be left once everything is loaded; the most that could be, where `least` says so."""
    floor_bytes: int
    """What has to be left for a launch: `refuse_gib`."""
    margin_bytes: int
    """How far the need may be wrong, by what it rests on."""
    basis: Basis
    how: str = ""
    """The arithmetic of the need, in words."""
    least: bool = False
    """The need is known only in part, so the remainder predicts nothing."""
    fits: float | None = None
    """Where it is refused: the gpu_memory_utilization that would fit; None where none is known to."""
    text: str = ""
    """A sentence with the arithmetic."""
    hint: str = ""
    """What to do; empty where there is nothing to do."""

    @property
    def predicted_left_bytes(self) -> int | None:
        """What loading should end at; None where that is not known."""
        return None if self.least or self.basis in ("running", "unknown") else self.remainder_bytes

    def to_json(self) -> str:
        """Return it as the store keeps it."""
        return msgspec.json.encode(self).decode()


def judge(
    profile: Profile, topology: str, samples: Mapping[str, NodeSample], history: Mapping[str, Sequence[int]]
) -> dict[str, Verdict]:
    """Return a verdict for every node of a topology.

    Args:
        profile: What is to be launched.
        topology: Its name there.
        samples: The last reading of each node; a node without one is unknown.
        history: By node, what the same launch took of it before, in bytes, newest first.
    """
    nodes = profile.topologies[topology].nodes
    readings = {name: samples.get(name) or NodeSample(t=0.0, node=name) for name in nodes}
    return {name: _verdict(profile, topology, name, readings[name], history.get(name, ())) for name in nodes}


def limits(profile: Profile, node: str, verdict: Verdict | None) -> Limits:
    """Return what the guard of a node goes by while a topology is up; without a verdict there is no prediction."""
    floors, memory = profile.floors(node), profile.memory
    return Limits(
        warn_bytes=_bytes(floors.warn_gib),
        loading_stop_bytes=_bytes(floors.loading_stop_gib),
        serving_stop_bytes=_bytes(floors.serving_stop_gib),
        horizon_s=memory.horizon_s,
        real_fall_bytes_s=_bytes(memory.real_fall_gib_s),
        clear_above_bytes=_bytes(memory.clear_above_gib),
        clear_s=memory.clear_s,
        predicted_left_bytes=None if verdict is None else verdict.predicted_left_bytes,
        predicted_margin_bytes=_bytes(memory.margin_gib) if verdict is None else verdict.margin_bytes,
    )


def _verdict(profile: Profile, topology: str, node: str, sample: NodeSample, earlier: Sequence[int]) -> Verdict:
    left = sample.mem_available_bytes
    need = need_of(profile, topology, node, sample, earlier)
    known = None if left is None or need is None else left - need.size_bytes
    memory, floors = profile.memory, profile.floors(node)
    margin = memory.history_margin_gib if need is not None and need.basis == "history" else memory.margin_gib
    level = _level(left, need, _bytes(floors.refuse_gib), _bytes(max(floors.refuse_gib, floors.warn_gib) + margin))
    verdict = Verdict(
        level=level,
        node=node,
        topology=topology,
        left_bytes=left,
        needed_bytes=None if need is None else need.size_bytes,
        remainder_bytes=known,
        floor_bytes=_bytes(floors.refuse_gib),
        margin_bytes=_bytes(margin),
        basis="unknown" if need is None else need.basis,
        how="" if need is None else need.how,
        least=need is not None and need.least,
        fits=_fits(profile, topology, node, sample, known) if level == "refuse" else None,
    )
    return msgspec.structs.replace(verdict, text=_text(verdict), hint=_hint(verdict, sample))


def _level(left: int | None, need: Need | None, floor: int, roomy: int) -> Level:
    if left is None:
        return "unknown"
    if need is not None and need.basis == "running":
        return "safe" if left >= roomy else "tight"
    remainder = left - (0 if need is None else need.size_bytes)
    if remainder < floor:
        return "refuse"
    if need is None or need.least:
        return "unknown"
    return "safe" if remainder >= roomy else "tight"


def _fits(profile: Profile, topology: str, node: str, sample: NodeSample, remainder: int | None) -> float | None:
    """Return the utilization, in hundredths, that would leave the node its floor and still hold the weights."""
    share = utilization(profile.serving)
    if share is None or remainder is None or sample.unified is not True or not sample.mem_total_bytes:
        return None
    total = sample.mem_total_bytes / GIB
    short = profile.floors(node).refuse_gib - remainder / GIB
    fits = math.floor((share - short / total / engines_beside(profile, topology, node)) * 100) / 100
    return fits if fits > 0 and fits * total > (weights_gib(profile, topology) or 0.0) else None


def _text(verdict: Verdict) -> str:
    start = f"{verdict.node} {verdict.level}: "
    if verdict.left_bytes is None:
        return start + "what it has left is not known"
    if verdict.basis == "running":
        return f"{start}{_gib(verdict.left_bytes)} GiB left, and nothing is launched there"
    if verdict.needed_bytes is None:
        why = f", under {_to_leave(verdict)}" if verdict.level == "refuse" else ""
        return f"{start}{_gib(verdict.left_bytes)} GiB left{why}; what {verdict.topology} needs is not known"
    return start + _arithmetic(verdict) + _against_the_floor(verdict)


def _arithmetic(verdict: Verdict) -> str:
    """Return `118.4 left - 104.2 needed = 14.2 GiB`, adding up as it is written."""
    left, needed = round((verdict.left_bytes or 0) / GIB, 1), round((verdict.needed_bytes or 0) / GIB, 1)
    at_least, at_most = ("at least ", "at most ") if verdict.least else ("", "")
    return f"{left:.1f} left - {at_least}{needed:.1f} needed = {at_most}{left - needed:.1f} GiB"


def _against_the_floor(verdict: Verdict) -> str:
    floor = _to_leave(verdict)
    if verdict.level == "refuse":
        fits = "" if verdict.fits is None else f"; {verdict.fits:.2f} would fit"
        return f", under {floor}{fits}"
    if verdict.level == "tight":
        return f", over {floor} by less than it takes to be sure"
    return f", over {floor}" if verdict.level == "safe" else "; what else it takes is not known"


def _hint(verdict: Verdict, sample: NodeSample) -> str:
    free = f"free memory on {verdict.node}"
    if verdict.level == "refuse":
        lower = "" if verdict.fits is None else f"set gpu_memory_utilization to {verdict.fits:.2f}, "
        return f"{lower}{free}, or lower refuse_gib if that node is known to bear it"
    if verdict.level == "unknown" and verdict.left_bytes is not None and sample.unified is None:
        return f"no GPU on {verdict.node} tells whether it shares the node's memory: is its driver loaded?"
    if verdict.level == "unknown" and verdict.left_bytes is not None:
        return "say gpu_memory_utilization in the profile; after one run the node's own history says what it takes"
    return f"{free} to be on the safe side" if verdict.level == "tight" and verdict.basis != "running" else ""


def _to_leave(verdict: Verdict) -> str:
    """Name this floor: the guard has others once it loads."""
    return f"the {verdict.floor_bytes / GIB:g} GiB a launch must leave"


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / GIB:.1f}"


def _bytes(size_gib: float) -> int:
    return int(size_gib * GIB)
