"""Reads what the nodes of a topology said of their GPUs' energy while it was up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import inf
from urllib.parse import urlsplit

from sparktui.compare.energy import MAX_GAP_S, EnergyCurve, PowerSample, energy_curve, sampled_span
from sparktui.errors import ProfileError
from sparktui.measure.record import WaveRecord
from sparktui.profile.loader import parse_profile
from sparktui.profile.model import Profile
from sparktui.store.reader import Reader
from sparktui.store.rows import CellRow, SweepRow

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class EnergyMeter:
    """The energy curves of one topology's nodes."""

    def __init__(self, reader: Reader, sweep: SweepRow) -> None:
        self._reader = reader
        self._sweep = sweep

    def curves(self, waves: Sequence[WaveRecord]) -> Mapping[str, EnergyCurve | None]:
        """Return each node's curve over some waves, and no longer: a sweep may take days.

        None for a node that tells no energy; empty where it is not known which nodes serve.
        """
        reader, sweep = self._reader, self._sweep
        nodes = serving_nodes(reader.campaign(sweep.campaign).profile_yaml, sweep.topology)
        if not nodes or not waves:
            return {}
        found: dict[str, list[PowerSample]] = {node: [] for node in nodes}
        for node, t, power_w, energy_j in reader.power_samples(sweep.campaign, *sampled_span(waves)):
            if node in found:
                found[node].append(PowerSample(t, power_w, energy_j))
        return {node: energy_curve(samples) for node, samples in found.items()}

    def samples(self, cell: CellRow) -> tuple[int, ...]:
        """Return how many samples of each node tell what a cell took: the figures are those of the samples so far."""
        if cell.started is None:
            return ()
        reader, sweep = self._reader, self._sweep
        history = reader.node_history(sweep.campaign)
        start, end = cell.started - MAX_GAP_S, inf if cell.ended is None else cell.ended + MAX_GAP_S
        nodes = serving_nodes(reader.campaign(sweep.campaign).profile_yaml, sweep.topology)
        return tuple(history.count(node, start, end) for node in nodes)


@lru_cache(maxsize=64)
def serving_nodes(profile_yaml: str, topology: str) -> tuple[str, ...]:
    """Return the nodes whose GPUs serve a topology; none where that is not known, as of a server somewhere else."""
    try:
        profile = parse_profile(profile_yaml, "") if profile_yaml else None
    except ProfileError:
        return ()  # of an older sparktui, or imported: nothing says where it ran
    if profile is None or topology not in profile.topologies or _elsewhere(profile):
        return ()
    return profile.topologies[topology].nodes


def _elsewhere(profile: Profile) -> bool:
    serving = profile.serving
    return serving.launcher == "external" and urlsplit(serving.url).hostname not in LOOPBACK
