"""A cell whose requests failed is measured, says so wherever it is shown, and cannot win."""

from __future__ import annotations

import csv
import io
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults import tried
from tests.faults.agents import until
from tests.faults.flaky_server import FlakyServer, flaky_server
from tests.runner.campaigns import Owner, json_of
from tests.runner.conftest import owner
from tests.sim_engine import free_port, sim_engine

__all__ = ["owner"]
PROFILE = """
name: flaky
nodes: {{here: {{host: local}}}}
model: {{id: m}}
serving: {{launcher: external, url: "{url}"}}
topologies: {{server: {{kind: solo, nodes: [here]}}}}
workload: {{pp: {pp}, tg: {tg}, concurrency: [2], runs: {runs}, warmup_waves: 0, timeout_s: {timeout_s}}}
"""
WAYS = ("500", "429", "reset", "cut", "html", "error event", "short", "silent", "other model", "in one piece")


@pytest.fixture
def server() -> Iterator[FlakyServer]:
    with flaky_server() as running:
        yield running


@pytest.mark.parametrize("way", WAYS)
def test_a_cell_with_failures_is_marked_counted_exported_and_bars_itself(
    owner: Owner, server: FlakyServer, way: str
) -> None:
    server.way, server.every = way, 3
    with tried.bad_input():
        profile = PROFILE.format(url=server.url, pp=10, tg=4, runs=3, timeout_s=2)
        done = owner.type("run", owner.profile(profile), "--plain", timeout_s=90)
    assert done.returncode in (0, 1), done.stderr
    (cell,) = cells(owner)
    assert cell["state"] == "done"
    assert cell["barred"]
    if way == "short":
        assert "streams ended early" in cell["barred"]
    elif way == "in one piece":
        assert "streams came in pieces: " in cell["barred"]
    else:
        assert cell["errors"] >= 1
        assert sum(cell["error_kinds"].values()) == cell["errors"]
        assert "requests failed" in cell["barred"]
    if way == "500":
        assert "http 500): overloaded" in cell["barred"]
        assert "http 500): overloaded" in " ".join(done.stdout.split())
    shown = json_of(owner.type("show", "last", "--json"))
    assert {row["winner"] for row in shown["rows"]} == {None}
    assert all(row["barred"] for row in shown["rows"] if row["values"])
    assert cell["barred"].split(";")[0] in done.stderr
    rows = list(csv.DictReader(io.StringIO(owner.type("export", "last", "--format", "csv").stdout)))
    assert {row["taint"] for row in rows} == {cell["barred"]}


def test_a_server_that_answers_as_another_model_is_told(owner: Owner, server: FlakyServer) -> None:
    server.model = "another-9b\x1b[31m"
    with tried.bad_input():
        done = owner.type(
            "run", owner.profile(PROFILE.format(url=server.url, pp=10, tg=4, runs=1, timeout_s=9)), "--plain"
        )
    assert done.returncode == 0, done.stderr
    assert r"warning: server: asked for m, it answers as another-9b\x1b[31m" in done.stderr


@contextmanager
def routed(server: FlakyServer, folder: Path) -> Iterator[str]:
    """Have the simulated router in front of a server; yield its address."""
    port = free_port()
    words = ["--port", str(port), "--model", "m", "--backend", f"gf1={server.url}", "--added-ms", "0"]
    with (
        (folder / "router.log").open("wb") as log,
        subprocess.Popen([sys.executable, "-m", "sparktui.sim.router", *words], stderr=log) as router,
    ):
        until(lambda: is_open(port), "the router")
        yield f"http://127.0.0.1:{port}"
        router.kill()


def is_open(port: int) -> bool:
    """Tell whether anything listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_another_model_behind_a_router_fails_the_requests_that_it_answers_and_no_others(
    owner: Owner, server: FlakyServer, tmp_path: Path
) -> None:
    server.way, server.every = "other model", 4
    with tried.bad_input(), routed(server, tmp_path) as url:
        profile = PROFILE.format(url=url, pp=10, tg=4, runs=4, timeout_s=9)
        done = owner.type("run", owner.profile(profile), "--plain", timeout_s=90)
    assert done.returncode in (0, 1), done.stderr
    (cell,) = cells(owner)
    assert cell["error_kinds"] == {"wrong model": 1}
    errors = {request["error"] for wave in cell["waves"] for request in wave["requests"]} - {None}
    assert errors == {"wrong model: another-9b has answered, m was asked for"}
    assert "requests failed" in cell["barred"]


def test_a_server_that_names_its_model_otherwise_from_the_start_fails_nothing_and_that_is_told(
    owner: Owner, server: FlakyServer
) -> None:
    server.way, server.every = "other model", 0
    with tried.bad_input():
        profile = PROFILE.format(url=server.url, pp=10, tg=4, runs=2, timeout_s=9)
        done = owner.type("run", owner.profile(profile), "--plain", timeout_s=90)
    assert done.returncode == 0, done.stderr
    assert "an answer of yet another model would not be noticed (wrong model: another-9b has answered" in done.stderr
    assert [cell["error_kinds"] for cell in cells(owner)] == [{}]


def test_an_engine_that_is_started_again_in_the_middle_of_a_cell_keeps_it_from_winning(
    owner: Owner, tmp_path: Path
) -> None:
    port = free_port()
    options: dict[str, Any] = {"speed": 2.0, "load_seconds": 0.1, "model": "m", "extra": ("--port", str(port))}
    with sim_engine(tmp_path / "sim", **options):
        profile = PROFILE.format(url=f"http://127.0.0.1:{port}", pp=64, tg=64, runs=4, timeout_s=20)
        running = owner.start("run", owner.profile(profile), "--plain")
        owner.until(lambda: owner.rows("SELECT 1 FROM wave WHERE warmup = 0"), "the first wave")
    with tried.bad_input(), sim_engine(tmp_path / "sim", **options):
        out, err = running.communicate(timeout=120)
    assert running.returncode in (0, 1, 3), out + err
    (cell,) = cells(owner)
    assert cell["barred"]  # its requests failed; or, between two waves, its prompts could not be counted
    assert set(cell["error_kinds"]) <= {"closed early", "connect"}
    assert "cannot win" in err + out


def cells(owner: Owner) -> list[dict[str, Any]]:
    """Return the cells of the last campaign as they are exported."""
    exported = json.loads(owner.type("export", "last", "--format", "json").stdout)
    return [cell for sweep in exported["sweeps"] for cell in sweep["cells"]]
