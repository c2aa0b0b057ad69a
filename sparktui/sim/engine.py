"""One simulated engine process: `python -m sparktui.sim.engine --topology solo --node gf2 --port 8000 ...`.

It serves HTTP on loopback, or with `--headless` only holds its node's memory, as rank 1 of a cluster does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import socket
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sparktui.faults import FAULTS, Fault
from sparktui.private import close_to_others
from sparktui.sim.faults import Collapsing, fabric_bytes, freezes, slowdown
from sparktui.sim.holding import GIB, MemoryCurve
from sparktui.sim.model import MODELS, SPREAD, Drift, StepModel
from sparktui.sim.report import Report
from sparktui.sim.scheduler import Limits, Scheduler

if TYPE_CHECKING:
    from sparktui.sim.app import EngineApp
    from sparktui.sim.loop import EngineLoop

KV_BYTES_PER_TOKEN = 48 * 1024
HTTP_COST_S = 0.002
"""What a request over loopback costs by itself: part of the model's fitted overhead, not to be paid twice."""
RDMA_BYTES_PER_TOKEN = 2 * 30 * 2816 * 2
"""Two all-reduces in each of 30 layers, 2816 values of two bytes, for every token a cluster computes."""

log = logging.getLogger("sparktui.sim")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line."""

    topology: str
    node: str
    model: str
    state_dir: Path
    host: str
    port: int
    seed: int
    load_seconds: float
    weights_gib: float
    kv_gib: float
    max_model_len: int
    speed: float
    drift: float
    headless: bool
    fault: Fault | None
    fault_node: str | None

    @property
    def rdma_bytes_per_token(self) -> int:
        """What a token costs on the fabric; nothing on a single node."""
        return 0 if self.topology == "solo" else RDMA_BYTES_PER_TOKEN

    @property
    def step_model(self) -> StepModel:
        """The step times to serve with."""
        model = MODELS[self.topology]
        speed = self.speed / slowdown(self.fault if self.affected else None)
        return replace(model, overhead=model.overhead - HTTP_COST_S).faster(speed)

    @property
    def sick(self) -> bool:
        """Whether its own node is the one that has the fault."""
        return self.fault is not None and self.node == self.fault_node

    @property
    def curve(self) -> MemoryCurve | Collapsing:
        """How its memory grows."""
        curve = MemoryCurve(int(self.weights_gib * GIB), int(self.kv_gib * GIB), self.load_seconds)
        return Collapsing(curve, self.sick) if self.fault == "gf1-collapse" else curve

    @property
    def affected(self) -> bool:
        """Whether it suffers from the fault: all of a cluster does, a replica only from its own."""
        return self.sick or self.topology != "solo"

    def report(self, url: str | None = None) -> Report:
        """Return what this process will publish about itself."""
        role: Literal["engine", "rank"] = "rank" if self.headless else "engine"
        return Report(self.state_dir, self.node, self.topology, role, self.curve, url, self.fault, self.sick)


async def serve_engine(options: Options, listener: socket.socket) -> None:
    """Load, then serve until SIGTERM."""
    from sparktui.sim.app import EngineApp
    from sparktui.sim.loop import EngineLoop
    from sparktui.sim.metrics import EngineMetrics
    from sparktui.sim.prefix import BLOCK_TOKENS
    from sparktui.sim.serve import address, serve

    event_loop = asyncio.get_running_loop()
    origin = event_loop.time()

    def clock() -> float:
        return event_loop.time() - origin

    limits = Limits(kv_tokens=int(options.kv_gib * GIB) // KV_BYTES_PER_TOKEN)
    noise = Drift(f"{options.seed}-{options.node}", options.drift)
    scheduler = Scheduler(options.step_model, limits, noise)
    metrics = EngineMetrics(options.model, scheduler)
    fault = options.fault if options.affected else None
    loop = EngineLoop(scheduler, metrics, clock, freezes=lambda: freezes(fault, len(scheduler.running)))
    max_model_len = min(options.max_model_len, scheduler.total_blocks * BLOCK_TOKENS)
    app = EngineApp(options.model, options.seed, max_model_len, loop, metrics, clock)
    report = options.report(address(listener))
    async with asyncio.TaskGroup() as tasks:
        background = [
            tasks.create_task(loop.run()),
            tasks.create_task(_load(options, app)),
            tasks.create_task(_publish(options, report, loop)),
        ]
        await serve(app.routes(), listener)
        for task in background:
            task.cancel()


async def _load(options: Options, app: EngineApp) -> None:
    log.info("Loading weights on %s (%.2f GiB)", options.node, options.weights_gib)
    await asyncio.sleep(options.curve.load_s)
    log.info("Available KV cache memory: %.1f GiB", options.kv_gib)
    log.info("Application startup complete.")
    app.loaded = True


async def _publish(options: Options, report: Report, loop: EngineLoop) -> None:
    while True:
        carried = fabric_bytes(options.fault, loop.tokens * options.rdma_bytes_per_token, loop.busy_s)
        await asyncio.to_thread(report.write, loop.busy_s, carried, frozen=loop.frozen)
        await asyncio.sleep(report.interval_s)


def hold_memory(options: Options) -> None:
    """Hold the node's memory as a cluster's further rank, until SIGTERM."""
    report = options.report()
    log.info("Rank on %s: loading weights (%.2f GiB)", options.node, options.weights_gib)
    while True:
        report.mirror_head()
        time.sleep(report.interval_s)


def parse(argv: list[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="sparktui.sim.engine", description="A SIMULATED inference engine.")
    parser.add_argument("--topology", choices=sorted(MODELS), required=True)
    parser.add_argument("--node", required=True)
    parser.add_argument("--model", required=True, help="the name requests ask for")
    parser.add_argument("--state-dir", type=Path, required=True, help="where simulated nodes keep their state")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one, named in the state file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--load-seconds", type=float, default=3.0)
    parser.add_argument("--weights-gib", type=float, default=25.67)
    parser.add_argument("--kv-gib", type=float, default=51.0)
    parser.add_argument("--max-model-len", type=int, default=131_072)
    parser.add_argument("--speed", type=float, default=1.0, help="all step times are divided by this")
    parser.add_argument("--drift", type=float, default=SPREAD, help="how far step times wander; 0: all alike")
    parser.add_argument("--headless", action="store_true", help="rank 1 of a cluster: no HTTP")
    parser.add_argument("--fault", choices=FAULTS, help="what goes wrong")
    parser.add_argument("--fault-node", help="the node that it goes wrong on")
    return Options(**vars(parser.parse_args(argv)))


def main(argv: list[str] | None = None) -> int:
    """Run the engine; return the exit code."""
    options = parse(argv)
    close_to_others()
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(levelname)s %(asctime)s [SIMULATED] %(message)s",
        datefmt="%m-%d %H:%M:%S",
    )
    if options.headless:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        hold_memory(options)
    # A headless rank needs no HTTP server and starts sooner without one.
    from sparktui.sim.serve import listen

    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        log.error("Cannot listen on %s:%d: %s", options.host, options.port, error.strerror)
        return 1
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve_engine(options, listener))
    return 0


if __name__ == "__main__":
    sys.exit(main())
