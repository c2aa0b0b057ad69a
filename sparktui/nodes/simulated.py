"""One look at a simulated node. Only for this machine: the simulator is not carried to a node."""

from __future__ import annotations

from pathlib import Path

from sparktui.nodes.memory import Fields


class SimulatedReader:
    """A node of the embedded simulator."""

    def __init__(self, node: str, state_dir: Path) -> None:
        import msgspec

        from sparktui.sim.faults import lose_agent
        from sparktui.sim.node import read_sample

        def read(heartbeat: int) -> Fields:
            lose_agent(state_dir, node)
            return msgspec.structs.asdict(read_sample(state_dir, node, heartbeat))

        self._read = read
        self._heartbeat = 0

    def ask(self) -> None:
        """Do nothing: all readings are one."""

    def left(self) -> Fields:
        """Return all that the simulator says."""
        self._heartbeat += 1
        return self._read(self._heartbeat)

    def complete(self, left: Fields, warn_bytes: int) -> Fields:
        """Return the same."""
        del warn_bytes
        return left

    def trouble(self) -> tuple[str, str] | None:
        """Return None: a simulated node says all in its samples."""
        return None
