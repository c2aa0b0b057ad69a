"""The faults that simulated nodes can be made to have, by name. Light to import: the command line lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fault = Literal["gf1-collapse", "zombie", "throttle", "agent-lost", "nvml-hang", "link-slow"]


@dataclass(frozen=True, slots=True)
class Part:
    """What one fault plays, and where."""

    what: str
    kind: Literal["solo", "cluster"] = "cluster"
    """It is played on the first topology of this kind, where the profile names none."""
    timeout_s: float | None = None
    """How long requests are given in the demo, where the fault would keep them waiting for all of the usual time."""


FAULTS: dict[Fault, Part] = {
    "gf1-collapse": Part("gf1's memory falls as in the published crash while cluster-tp2 loads: the guard stops it"),
    "zombie": Part("cluster-tp2 stops making tokens while it says that it is healthy: gf1 idles at 13 W", timeout_s=30),
    "throttle": Part("gf2's clock stays at 850 MHz though it is cool, while solo serves", kind="solo"),
    "agent-lost": Part("gf1's agent is killed while cluster-tp2 serves, and comes back"),
    "nvml-hang": Part("a call into gf1's GPU driver does not return while cluster-tp2 serves"),
    "link-slow": Part("the link to gf1 negotiates 200 Gbit/s and carries 13 while cluster-tp2 serves"),
}
