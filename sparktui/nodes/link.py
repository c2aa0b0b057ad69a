"""The runner's side of an agent: starts it, hands on its samples, tells it the phase, ends it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from sparktui.nodes.sample import NodeSample, Phase

END_GRACE_S = 2.0


class AgentLink:
    """One agent process on this machine."""

    def __init__(self, node: str, process: asyncio.subprocess.Process) -> None:
        self.node = node
        self.phase: Phase = "idle"
        self._process = process
        self._decoder = msgspec.json.Decoder(NodeSample)

    @classmethod
    async def start(cls, node: str, *, simulated: Path | None = None) -> AgentLink:
        """Start the agent of a node; `simulated` is the folder of a simulated one's state."""
        argv = [sys.executable, "-m", "sparktui.nodes.agent", "--node", node]
        argv += ["--simulated", str(simulated)] if simulated else []
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        return cls(node, process)

    async def next(self) -> NodeSample | None:
        """Wait for the next sample; None when the agent has ended."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            with suppress(msgspec.MsgspecError):
                return self._decoder.decode(line)
        return None

    def tell(self, phase: Phase) -> None:
        """Tell the agent what is going on there: it samples faster while a model loads."""
        self.phase = phase
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(f"{phase}\n".encode())

    async def close(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(END_GRACE_S):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
