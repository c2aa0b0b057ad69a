"""`sparktui watch` through the command line, beside load that somebody else sends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.runner.campaigns import DEADLINE_S, Owner
from tests.scripted_server import scripted_server
from tests.sim_engine import sim_engine
from tests.watching.pages import answering, llama_cpp, sglang

Line = dict[str, Any]


def look_until(watching: subprocess.Popen[str], seen: Callable[[Line], object]) -> Line:
    """Read what is printed until a line is as wanted."""
    assert watching.stdout is not None
    for line in watching.stdout:
        if seen(read := json.loads(line)):
            return dict(read)
    assert watching.stderr is not None
    raise AssertionError(f"it ended: {watching.stderr.read()}")


def end(watching: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> int:
    watching.send_signal(number)
    with suppress(subprocess.TimeoutExpired):
        watching.communicate(timeout=DEADLINE_S)
    return watching.returncode


def test_load_of_another_process_is_seen_and_none_is_sent(owner: Owner, tmp_path: Path) -> None:
    with sim_engine(tmp_path / "sim", speed=1.0) as engine:
        watching = owner.start("watch", engine.url, "--json", "--hz", "5")
        idle = look_until(watching, lambda line: line["engines"][0]["up"])
        assert idle["engines"][0]["running"] == 0
        assert idle["engines"][0]["ttft_p50_ms"] is None
        bench = ("--concurrency", "4", "--runs", "2", "--pp", "128", "--tg", "64", "--plain")
        load = Owner(tmp_path / "another").start("bench", engine.url, *bench)
        busy = look_until(watching, lambda line: (line["engines"][0]["decode_tps"] or 0) > 20)
        assert busy["engines"][0]["running"] == 4
        assert busy["engines"][0]["prefill_tps"] > 0
        assert busy["engines"][0]["ttft_p50_ms"] > 0
        assert busy["engines"][0]["itl_p95_ms"] > 0
        assert busy["all"]["decode_tps"] == busy["engines"][0]["decode_tps"]
        assert load.communicate(timeout=DEADLINE_S)[1]
        look_until(watching, lambda line: line["engines"][0]["decode_tps"] == 0)
        assert end(watching) == 0
    assert not (owner.home / "data" / "sparktui.db").exists()


def test_an_engine_that_goes_down_says_so_and_comes_back_by_itself(owner: Owner, tmp_path: Path) -> None:
    with sim_engine(tmp_path / "sim") as engine:
        port = engine.port
        watching = owner.start("watch", engine.url, "--json", "--hz", "5")
        look_until(watching, lambda line: line["engines"][0]["up"])
    down = look_until(watching, lambda line: not line["engines"][0]["up"])["engines"][0]
    assert down["error"]
    assert down["running"] is None
    with sim_engine(tmp_path / "sim", extra=("--port", str(port))):
        look_until(watching, lambda line: line["engines"][0]["up"])
        assert end(watching, signal.SIGTERM) == 0


async def test_engines_of_other_kinds_stand_side_by_side(owner: Owner) -> None:
    generated = [0]

    def moving() -> str:
        generated[0] += 5
        return llama_cpp(generated=generated[0], prompt=2 * generated[0], running=1)

    buckets = [("0.1", 3), ("+Inf", 3)]
    async with (
        scripted_server(answering(moving)) as one,
        scripted_server(answering(lambda: sglang(generated=9, ttft=buckets))) as two,
    ):
        watching = owner.start("watch", one.url, two.url, "--json", "--hz", "5")
        moved = await asyncio.to_thread(
            look_until, watching, lambda line: line["engines"][0]["decode_tps"] and line["engines"][1]["up"]
        )
        assert await asyncio.to_thread(end, watching) == 0
    first, second = moved["engines"]
    assert (first["running"], first["kv_pct"], first["ttft_p50_ms"]) == (1, None, None)
    assert (second["running"], second["waiting"], round(second["kv_pct"])) == (5, 2, 28)
    assert moved["all"]["running"] == 6


def test_the_nodes_of_a_profile_are_watched_and_nothing_is_left_behind(owner: Owner, tmp_path: Path) -> None:
    with sim_engine(tmp_path / "sim") as engine:
        profile = owner.profile(f"""
name: mine
nodes: {{here: {{host: local}}}}
model: {{id: m}}
serving: {{launcher: external, url: "{engine.url}"}}
topologies: {{server: {{kind: solo, nodes: [here]}}}}
""")
        watching = owner.start("watch", profile, "--json", "--hz", "5")
        seen = look_until(watching, lambda line: line["nodes"][0]["mem_available_bytes"])
        assert seen["nodes"][0]["name"] == "here"
        assert seen["nodes"][0]["error"] is None
        assert end(watching) == 0
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_lines_are_printed_once_a_look_and_the_end_of_the_terminal_ends_it(owner: Owner) -> None:
    watching = owner.start("watch", "http://127.0.0.1:1", "--plain", "--hz", "5")
    assert watching.stdout is not None
    assert "127.0.0.1:1  down:" in watching.stdout.readline()
    os.killpg(watching.pid, signal.SIGHUP)
    watching.communicate(timeout=DEADLINE_S)
    assert watching.returncode == 0


def test_what_cannot_be_watched_is_one_message_and_exit_2(owner: Owner) -> None:
    for words, said in (
        (("watch", "no-such-profile"), "no profile named"),
        (("watch", "demo"), "simulated"),
        (("watch", "ftp://x"), "ftp"),
        (("watch", "http://x", "--api-key-env", "NOT_SET"), "NOT_SET is not set"),
        (("watch", "http://x", "--hz", "nan"), "nan is not a finite number"),
        (("watch",), "Missing argument"),
    ):
        done = owner.type(*words)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
        assert "Traceback" not in done.stderr
