"""Agents on nodes reached through a real ssh: carried there, cut off, reached again, and gone without a trace."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from sparktui.nodes.link import AgentLink
from sparktui.nodes.news import Found, Lost, Merged
from sparktui.nodes.sample import NodeSample
from sparktui.runner.agent_homes import CACHE, SshHome
from sparktui.serving.ssh import SshHost
from tests import two_nodes as namespaces
from tests.runner.campaigns import Owner
from tests.two_nodes import TestNode, TwoNodes
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(600),
    pytest.mark.skipif(namespaces.missing() is not None, reason=str(namespaces.missing())),
]

GIB = 1024**3
CACHE_HERE = Path.home() / ".cache" / "sparktui"
DEADLINE_S = 120.0
PORT = 8107
GUARD = 4
EATEN_AT_MOST_BYTES = 3 * GIB
TOOLS = ("sh", "env", "cat", "grep", "rm", "rmdir", "kill", "true", "dirname", "mkdir")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    with namespaces.two_nodes(tmp_path_factory.mktemp("nodes")) as both:
        yield both


@pytest.fixture(autouse=True)
def reachable(nodes: TwoNodes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have ssh know the nodes; whatever a test did to a link is undone, and what it left there is named."""
    monkeypatch.setenv("PATH", nodes.path)
    yield
    for node in (nodes.first, nodes.second):
        node.mend()


@pytest.fixture
def control() -> Iterator[Path]:
    """A folder with a short path, for the sockets of ssh's shared connections."""
    with tempfile.TemporaryDirectory(prefix="spt") as folder:
        yield Path(folder)


def home_on(destination: str, control_dir: Path) -> SshHome:
    mark = f"test-{os.getpid()}-{destination}"
    return SshHome(destination, mark, f"{CACHE}/{mark}", SshHost(destination, control_dir))


@dataclass
class Listener:
    """A runner's ear: everything that a link says."""

    link: AgentLink
    samples: list[NodeSample] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    caught_up: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        while True:
            match news := await self.link.next():
                case NodeSample():
                    self.samples.append(news)
                case Merged():
                    self.samples += news.samples
                    self.caught_up += news.caught_up
                case Found():
                    self.found.append(news)
                case Lost():
                    self.lost.append(news)
            self.heard.set()

    async def until(self, happened: Any) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not happened():
                self.heard.clear()
                await self.heard.wait()


@asynccontextmanager
async def listening(home: SshHome) -> AsyncIterator[Listener]:
    """Follow a node's agent; at the end nothing of it is left there."""
    listener = Listener(AgentLink(home.node, home))
    task = asyncio.create_task(listener.listen())
    try:
        yield listener
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await listener.link.end()


def agents_on(node: TestNode) -> list[psutil.Process]:
    """Return the agents of a node, without the relays to them."""
    return [process for process in node.processes() if "--detach" in process.cmdline()]


def written(home: SshHome) -> list[float]:
    """Return the times of the samples in the agent's own file: the nodes share this machine's disk."""
    lines = (Path.home() / home.folder / "samples.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    return [entry["sample"]["t"] for entry in entries if "sample" in entry]


async def until(happened: Any) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not happened():  # noqa: ASYNC110 - another process's file: nothing to await
            await asyncio.sleep(0.05)


async def test_an_agent_is_carried_to_a_node_and_leaves_nothing_there(nodes: TwoNodes, control: Path) -> None:
    home = home_on("spark2", control)
    async with listening(home) as runner:
        await runner.until(lambda: len(runner.samples) >= 3)
        (agent,) = agents_on(nodes.second)
        assert agent.environ()["SPARKTUI_AGENT"] == home.mark
        assert (Path.home() / home.folder).stat().st_mode & 0o777 == 0o700
    assert agents_on(nodes.second) == []
    assert not CACHE_HERE.exists()


async def test_a_node_goes_on_sampling_while_its_link_is_down_and_nothing_is_missing_or_double_afterwards(
    nodes: TwoNodes, control: Path
) -> None:
    home = home_on("spark2", control)
    async with listening(home) as runner:
        await runner.until(lambda: len(runner.samples) >= 3)
        nodes.second.cut()
        there = len(written(home))
        await until(lambda: len(written(home)) >= there + 4)
        await runner.until(lambda: runner.lost)
        nodes.second.mend()
        await runner.until(lambda: len(runner.found) == 2 and runner.caught_up >= 2)
        count = len(runner.samples)
        await runner.until(lambda: len(runner.samples) >= count + 3)
        assert [found.how for found in runner.found] == ["first", "same"]
        heard = sorted(sample.t for sample in runner.samples)
        await until(lambda: len(written(home)) >= len(heard))  # it is sent before it is written
        assert heard == written(home)[: len(heard)]
        assert {sample.heartbeat for sample in runner.samples} == set(range(len(heard)))


async def test_a_link_that_is_down_for_a_moment_loses_nothing(nodes: TwoNodes, control: Path) -> None:
    home = home_on("spark2", control)
    async with listening(home) as runner:
        await runner.until(lambda: len(runner.samples) >= 3)
        nodes.second.cut()
        there = len(written(home))
        await until(lambda: len(written(home)) >= there + 6)
        nodes.second.mend()
        await runner.until(lambda: len(runner.samples) >= there + 8)
        heard = sorted(sample.t for sample in runner.samples)
        await until(lambda: len(written(home)) >= len(heard))  # it is sent before it is written
        assert heard == written(home)[: len(heard)]


async def test_an_agent_that_was_killed_over_there_is_started_again(nodes: TwoNodes, control: Path) -> None:
    async with listening(home_on("spark2", control)) as runner:
        await runner.until(lambda: len(runner.samples) >= 2)
        (agent,) = agents_on(nodes.second)
        agent.kill()
        await runner.until(lambda: len(runner.found) == 2 and runner.caught_up >= 2)
        assert [found.how for found in runner.found] == ["first", "restarted"]
        times = [sample.t for sample in runner.samples]
        assert len(set(times)) == len(times)


async def test_an_agent_that_hangs_over_there_is_killed_and_replaced(nodes: TwoNodes, control: Path) -> None:
    async with listening(home_on("spark2", control)) as runner:
        await runner.until(lambda: len(runner.samples) >= 2)
        (agent,) = agents_on(nodes.second)
        agent.suspend()
        await runner.link.drop()
        await runner.until(lambda: len(runner.found) == 2 and runner.caught_up >= 2)
        assert [found.how for found in runner.found] == ["first", "replaced"]
        assert [process.pid for process in agents_on(nodes.second)] != [agent.pid]
        beats = [sample.heartbeat for sample in runner.samples]
        assert sorted(beats) == list(range(len(beats)))


async def test_what_a_node_wrote_before_it_went_down_is_fetched_when_it_has_come_up_again(
    nodes: TwoNodes, control: Path, tmp_path: Path
) -> None:
    home = home_on("spark2", control)
    async with listening(home) as runner:
        await runner.until(lambda: len(runner.samples) >= 3)
        nodes.second.cut()
        there = len(written(home))
        await until(lambda: len(written(home)) >= there + 4)
        with nodes.second.rebooted(tmp_path):
            last_words = written(home)
            nodes.second.mend()
            await runner.until(lambda: len(runner.found) == 2 and runner.caught_up >= 2)
            assert [found.how for found in runner.found] == ["first", "rebooted"]
            times = [sample.t for sample in runner.samples]
            assert set(last_words) <= set(times)
            assert len(set(times)) == len(times)


async def test_a_host_key_that_is_not_known_is_no_node_to_carry_anything_to(nodes: TwoNodes, control: Path) -> None:
    known = nodes.bin.parent / "ssh" / "known"
    before = known.read_text()
    known.write_text("")
    try:
        async with listening(home_on("spark1", control)) as runner:
            await runner.until(lambda: runner.lost)
            assert "Host key verification failed" in runner.lost[0].why
            known.write_text(before)
            await runner.until(lambda: runner.samples)
    finally:
        known.write_text(before)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder of programs without any Python."""
    folder = tmp_path / "bare"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(str(shutil.which(tool, path=namespaces.PATH)))
    return folder


async def test_a_node_without_python_says_so_and_what_to_do(nodes: TwoNodes, control: Path, bare: Path) -> None:
    with nodes.other_login(str(bare)) as destination:
        async with listening(home_on(destination, control)) as runner:
            await runner.until(lambda: runner.lost)
            assert runner.lost[0].why == f"{destination} has no python3 for its agent"
            assert "install Python 3.10 or newer" in runner.lost[0].hint


def interpreter(minor: int) -> str | None:
    """Return a Python 3.minor of this machine, wherever it keeps them."""
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"3.{minor}.*/bin/python3"))
    return shutil.which(f"python3.{minor}") if not kept else str(kept[-1])


@pytest.mark.parametrize("minor", [8, 9, 10, 11, 12, 13])
async def test_every_python_from_the_oldest_on_will_do_and_an_older_one_says_which_it_is(
    nodes: TwoNodes, control: Path, bare: Path, minor: int
) -> None:
    if (python := interpreter(minor)) is None:
        pytest.skip(f"no Python 3.{minor} here")
    (bare / "python3").symlink_to(python)
    with nodes.other_login(str(bare)) as destination:
        async with listening(home_on(destination, control)) as runner:
            if minor >= 10:
                await runner.until(lambda: len(runner.samples) >= 2)
            else:
                await runner.until(lambda: runner.lost)
                assert runner.lost[0].why == f"python3 on {destination} is 3.{minor}; its agent needs 3.10"


def profile(nodes: TwoNodes, folder: Path, **more: Any) -> dict[str, Any]:
    """Return a profile that serves the embedded engine on both nodes, one after the other, as any command."""
    engine = [sys.executable, "-m", "sparktui.sim.engine", "--topology", "solo", "--node", "{node}", "--model", "m"]
    engine += ["--host", "{address}", "--port", "{port}", "--state-dir", str(folder), "--load-seconds", "0.2"]
    eater = [sys.executable, str(Path(__file__).with_name("eating_engine.py")), str(folder / "eat")]
    return {
        "name": "over-ssh",
        "nodes": {node.name: {"host": node.name, "address": node.address} for node in (nodes.first, nodes.second)},
        "model": {"id": "m"},
        "serving": {"launcher": "command", "argv": [*eater, str(EATEN_AT_MOST_BYTES), *engine], "port": PORT},
        "topologies": {
            "on-second": {"kind": "solo", "nodes": ["spark2"]},
            "on-first": {"kind": "solo", "nodes": ["spark1"]},
        },
        "workload": {"pp": 64, "tg": 16, "concurrency": [1], "runs": 2, "warmup_waves": 0},
        **more,
    }


@pytest.fixture
def owner(nodes: TwoNodes, tmp_path: Path) -> Iterator[Owner]:
    made = Owner(tmp_path, {"PATH": nodes.path})
    yield made
    for process in made.processes_found():
        with suppress(psutil.Error):
            process.kill()
    for node in (nodes.first, nodes.second):
        for process in node.processes():
            with suppress(psutil.Error):
                if process.name() != "sshd":
                    process.kill()


def floors(stop_gib: float) -> dict[str, Any]:
    kept = {"refuse_gib": 0.5, "warn_gib": stop_gib, "loading_stop_gib": 0.5, "serving_stop_gib": stop_gib}
    return {"floors": kept}


def events(owner: Owner, kind: str) -> list[tuple[str, dict[str, Any]]]:
    rows = owner.rows(f"SELECT text, data FROM event WHERE kind = '{kind}' ORDER BY id")
    return [(text, json.loads(data)) for text, data in rows]


def assert_clean(owner: Owner, nodes: TwoNodes) -> None:
    """Fail where anything of a campaign is left on a node."""
    assert owner.rows("SELECT node, title FROM launched WHERE gone IS NULL") == []
    for node in (nodes.first, nodes.second):
        assert {process.name() for process in node.processes()} <= {"sshd", "ssh"}
    assert not CACHE_HERE.exists()


def measuring(owner: Owner, run: subprocess.Popen[str]) -> None:
    """Wait for the first wave on the second node; fail as soon as that can no longer happen."""
    waves = "SELECT 1 FROM wave"
    assert wait_until(lambda: bool(owner.rows(waves)) or run.poll() is not None, DEADLINE_S)
    assert run.poll() is None, run.communicate()[1]


def test_a_campaign_watches_its_nodes_over_ssh_and_leaves_them_clean(nodes: TwoNodes, owner: Owner) -> None:
    path = owner.profile(yaml.safe_dump(profile(nodes, owner.home, memory=floors(0.5)), sort_keys=False))
    done = owner.type("run", path, "--plain", timeout_s=300)
    assert done.returncode == 0, done.stderr
    sampled = "SELECT node, count(*) - count(DISTINCT t), max(heartbeat) + 1 - count(*) FROM node_sample GROUP BY node"
    assert owner.rows(sampled) == [("spark1", 0, 0), ("spark2", 0, 0)]
    assert owner.rows("SELECT DISTINCT phase FROM node_sample WHERE node = 'spark2' ORDER BY 1") >= [("idle",)]
    assert_clean(owner, nodes)


def test_stop_ends_the_agents_of_a_killed_runner_on_their_nodes_and_keeps_what_they_saw(
    nodes: TwoNodes, owner: Owner
) -> None:
    content = profile(nodes, owner.home, memory=floors(0.5))
    content["workload"]["runs"] = 1000
    run = owner.start("run", owner.profile(yaml.safe_dump(content, sort_keys=False)), "--plain")
    measuring(owner, run)
    os.kill(int((owner.home / "data" / "runner.lock").read_text().split()[1]), signal.SIGKILL)
    run.communicate(timeout=DEADLINE_S)
    ((before,),) = owner.rows("SELECT max(t) FROM node_sample WHERE node = 'spark2'")
    (flight,) = CACHE_HERE.glob("agents/*-spark2/samples.jsonl")
    written_then = flight.read_text().count('{"sample"')
    assert wait_until(lambda: flight.read_text().count('{"sample"') > written_then + 2, DEADLINE_S)
    assert [len(agents_on(node)) for node in (nodes.first, nodes.second)] == [1, 1]
    stopped = owner.type("stop", timeout_s=300)
    assert stopped.returncode == 0, stopped.stderr
    fetched = f"SELECT count(*) FROM node_sample WHERE node = 'spark2' AND t > {before}"
    assert owner.rows(fetched)[0][0] > 2
    assert_clean(owner, nodes)


def test_a_guard_stops_what_eats_its_node_while_nobody_can_reach_it_and_the_campaign_goes_on(
    nodes: TwoNodes, owner: Owner
) -> None:
    stop_gib = psutil.virtual_memory().available / GIB - 1.0
    long = {"pp": 64, "tg": 64, "concurrency": [1], "runs": 8, "warmup_waves": 0}
    content = profile(nodes, owner.home, memory=floors(stop_gib))
    content["workload"] = long
    run = owner.start("run", owner.profile(yaml.safe_dump(content, sort_keys=False)), "--plain")
    measuring(owner, run)
    (engine,) = owner.rows("SELECT pid FROM launched WHERE title LIKE 'engine%' AND gone IS NULL")
    nodes.second.cut()
    (owner.home / "eat").touch()
    gone = wait_until(lambda: not psutil.pid_exists(engine[0]), DEADLINE_S)
    (owner.home / "eat").unlink()
    nodes.second.mend()
    assert gone, "the eater was not stopped"
    assert wait_until(lambda: bool(events(owner, "guard-stop")), DEADLINE_S), owner.rows("SELECT text FROM event")
    _, said = run.communicate(timeout=DEADLINE_S)
    print(said, file=sys.stderr)
    assert run.returncode == GUARD
    assert owner.rows("SELECT state FROM sweep ORDER BY seq") == [("guard",), ("done",)]
    ((text, data),) = events(owner, "guard-stop")
    assert text.startswith("spark2 has ")
    assert engine[0] in data["killed"]
    assert data["ms"] is not None
    assert_clean(owner, nodes)
