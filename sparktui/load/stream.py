"""The transport seam: which kind of connection a target gets, and whose clock its arrivals are on."""

from __future__ import annotations

from sparktui.load.connection import Connection
from sparktui.load.kernel import KernelConnection, may_stamp
from sparktui.load.messages import Target
from sparktui.load.user import UserConnection
from sparktui.measure.record import Clock


def connect_to(target: Target) -> Connection:
    """Return a connection, not yet open, of the best kind for this target and platform."""
    return KernelConnection(target) if clock_of(target) == "kernel" else UserConnection(target)


def clock_of(target: Target | None = None) -> Clock:
    """Return whose receive stamps connections to a target, or to any plain one, have on this platform."""
    return "kernel" if may_stamp() and (target is None or not target.tls) else "user"
