"""The process that watches one node, guards what runs there, and outlives a broken link to the runner.

`python -m sparktui.nodes.agent --node gf2 --folder DIR` reads this machine, with `--simulated DIR` a simulated node. It
listens on a socket in its folder, where one runner at a time is connected; `connect` is the way there over ssh.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path

from sparktui.nodes import daemon, folder
from sparktui.nodes.agent_loop import ORPHAN_S, Agent
from sparktui.nodes.reading import LocalReader
from sparktui.nodes.relay import relay
from sparktui.nodes.resident import lock_pages
from sparktui.nodes.simulated import SimulatedReader


def main(arguments: list[str] | None = None) -> int:
    """Run as a process; return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["connect"]:
        return relay(_connect_parser().parse_args(given[1:]).folder)
    options = _parser().parse_args(given)
    report = daemon.detach() if options.detach else daemon.stay()
    return _watch(options, report)


def _watch(options: argparse.Namespace, report: daemon.Report) -> int:
    simulated = options.simulated and options.simulated.absolute()
    sys.path[:] = [os.path.abspath(entry) for entry in sys.path]  # the folder is about to change
    try:
        home = folder.enter(options.folder)
        held = folder.hold()
    except BlockingIOError:
        report({"pid": folder.holder(), "already": True})
        return 0
    except OSError as error:
        report({"error": str(error)})
        return 1
    reader = SimulatedReader(options.node, simulated) if simulated else LocalReader()
    agent = Agent(options.node, reader, locked=lock_pages(), orphan_s=options.orphan_s)
    gc.freeze()
    report({"pid": os.getpid()})
    run(agent, home)
    os.close(held)
    return 0


def run(agent: Agent, home: Path) -> None:
    """Let an agent do its work, and leave its folder as it should be left."""
    try:
        told_to_end = agent.run()
    except Exception as error:
        agent.break_off(error)
        raise
    folder.leave(home, keep_evidence=agent.notable and not told_to_end)
    agent.hang_up()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sparktui.nodes.agent", description="Watch one node.")
    parser.add_argument("--node", required=True, help="what the node is called")
    parser.add_argument(
        "--folder", type=Path, required=True, metavar="DIR", help="where to listen and to keep the flight file"
    )
    parser.add_argument("--simulated", type=Path, metavar="DIR", help="read a simulated node")
    parser.add_argument("--orphan-s", type=float, default=ORPHAN_S, metavar="S", help="end when alone for so long")
    parser.add_argument("--detach", action="store_true", help="print a line once it listens, and go on alone")
    return parser


def _connect_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="connect", description="Relay to the agent on this node.")
    parser.add_argument("--folder", type=Path, default=Path(sys.argv[0]).absolute().parent, metavar="DIR")
    return parser


if __name__ == "__main__":
    sys.exit(main())
