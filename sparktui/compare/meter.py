"""Reads what the nodes of a topology said of their GPUs' energy while it was up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property, lru_cache
from urllib.parse import urlsplit

from sparktui.compare.energy import MAX_GAP_S, EnergyCurve, PowerSample, energy_curve
from sparktui.errors import ProfileError
from sparktui.profile import Profile, parse_profile
from sparktui.store.reader import Reader
from sparktui.store.rows import SweepRow

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class EnergyMeter:
    """The energy curves of one topology's nodes over its whole sweep, read when first asked for."""

    def __init__(self, reader: Reader, sweep: SweepRow) -> None:
        self._reader = reader
        self._sweep = sweep

    @cached_property
    def curves(self) -> Mapping[str, EnergyCurve | None]:
        """Each node's curve, None for one that tells no energy; empty where it is not known which nodes serve."""
        reader, sweep = self._reader, self._sweep
        nodes = _serving_nodes(reader.campaign(sweep.campaign).profile_yaml, sweep.topology)
        found: dict[str, list[PowerSample]] = {node: [] for node in nodes}
        cells = [cell for cell in reader.cells(sweep.id) if cell.started is not None]
        if not found or not cells:
            return {}
        start = min(cell.started or 0.0 for cell in cells) - MAX_GAP_S
        end = max(math.inf if cell.ended is None else cell.ended for cell in cells) + MAX_GAP_S
        for node, t, power_w, energy_j in reader.power_samples(sweep.campaign, start, end):
            if node in found:
                found[node].append(PowerSample(t, power_w, energy_j))
        return {node: energy_curve(samples) for node, samples in found.items()}


@lru_cache(maxsize=64)
def _serving_nodes(profile_yaml: str, topology: str) -> tuple[str, ...]:
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
