"""A simulated profile in which one thing goes wrong, and where it does."""

from __future__ import annotations

from dataclasses import dataclass

from sparktui.errors import UsageError
from sparktui.faults import FAULTS, Fault
from sparktui.profile.loader import profile_from_data
from sparktui.profile.model import Profile, Simulated


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong where."""

    fault: Fault
    topology: str
    node: str


def with_fault(profile: Profile, fault: Fault) -> Profile:
    """Return a simulated profile with a fault, and requests that do not wait for it too long.

    Raises:
        UsageError: Its nodes are real ones.
    """
    if not profile.simulated:
        raise UsageError(f"profile {profile.name} is not simulated", "faults are played on simulated nodes only")
    data = profile.model_dump()
    data["serving"]["fault"] = fault
    limit_s = FAULTS[fault].timeout_s
    if limit_s is not None:
        data["workload"]["timeout_s"] = min(limit_s, data["workload"]["timeout_s"])
    return profile_from_data(data, profile.name)


def trouble(profile: Profile) -> Trouble | None:
    """Return what goes wrong in a profile, and where: what it does not say is what the fault is best seen on."""
    serving = profile.serving
    if not isinstance(serving, Simulated) or serving.fault is None:
        return None
    names = [name for name, topology in profile.topologies.items() if topology.kind == FAULTS[serving.fault].kind]
    topology = serving.fault_topology or next(iter(names), next(iter(profile.topologies)))
    nodes = profile.topologies[topology].nodes
    return Trouble(serving.fault, topology, serving.fault_node or nodes[-1])
