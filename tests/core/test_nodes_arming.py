"""What an agent does with what its guard says: once for an arming, by SIGKILL, to what carries the mark."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparktui.nodes import act, marked
from sparktui.nodes.arming import Arming
from sparktui.nodes.guard import Decision
from sparktui.nodes.marked import Marked

DEADLINE_S = 30.0
GIB = 1024**3
LIMITS = {"warn_bytes": 8 * GIB, "loading_stop_bytes": 6 * GIB, "serving_stop_bytes": 4 * GIB}
STOP = Decision(level="stop", rule="floor", text="gf1 has 3.0 GiB left", left_bytes=3 * GIB, news=True)


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return f"1-1-{tmp_path}"


@pytest.fixture
def victim(mark: str) -> Iterator[subprocess.Popen[bytes]]:
    with marked_process(mark) as process:
        yield process
        process.kill()


def marked_process(mark: str) -> subprocess.Popen[bytes]:
    """Start a process that carries a mark and does not end by SIGTERM; it is up when this returns."""
    code = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); sys.stdin.read()"
    environment = os.environ | {"SPARKTUI_LAUNCH": mark}
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


armings: list[Arming] = []


@pytest.fixture(autouse=True)
def laid_down() -> Iterator[None]:
    """Close what a test has armed."""
    yield
    while armings:
        armings.pop().close()


def arm(mark: str, told: queue.Queue[dict[str, Any]], /, **changes: Any) -> Arming:
    order = {"do": "arm", "mark": mark, "stop": [], "limits": LIMITS, "what": "solo"} | changes
    armings.append(Arming("gf1", order, told.put))
    return armings[-1]


def test_a_stop_kills_what_carries_the_mark_and_nothing_else(mark: str, victim: subprocess.Popen[bytes]) -> None:
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    with marked_process(mark + "0") as other:
        arm(mark, told).carry_out(STOP, time.monotonic())
        assert victim.wait(DEADLINE_S) == -signal.SIGKILL
        guard, acted = (told.get(timeout=DEADLINE_S) for _ in range(2))
        assert other.poll() is None
        other.kill()
    assert guard["guard"]["level"] == "stop"
    assert (guard["guard"]["text"], guard["guard"]["left_bytes"]) == (STOP.text, 3 * GIB)
    assert acted["acted"]["killed"] == [victim.pid]
    assert acted["acted"]["text"] == STOP.text
    assert acted["acted"]["ms"] > 0


def test_one_arming_acts_once(mark: str) -> None:
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    arming = arm(mark, told)
    for _ in range(3):
        arming.carry_out(STOP, time.monotonic())
    kinds = [next(iter(told.get(timeout=DEADLINE_S))) for _ in range(3)]
    assert sorted(kinds) == ["acted", "acted", "guard"]  # at once, and again when everything is gone
    assert told.empty()


def test_only_news_is_told_and_a_warning_that_is_over_is_called_clear(mark: str) -> None:
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    arming = arm(mark, told)
    for level, news in (("warn", True), ("warn", False), ("look", False), ("ok", True), ("ok", False)):
        arming.carry_out(Decision(level=level, text="gf1", news=news), 0.0)  # type: ignore[arg-type]
    assert [told.get_nowait()["guard"]["level"] for _ in range(2)] == ["warn", "clear"]
    assert told.empty()


def test_stop_commands_are_started_and_one_that_failed_is_tried_again(
    mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act, "ROUND_S", 0.05)
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    once = (
        f"import os; p = {str(tmp_path / 'tried')!r}; s = os.path.exists(p); open(p, 'w').close(); exit(0 if s else 1)"
    )
    argv = [sys.executable, "-c", once]
    arm(mark, told, stop=[argv]).carry_out(STOP, time.monotonic())
    acts = [entry["acted"] for entry in (told.get(timeout=DEADLINE_S) for _ in range(3)) if "acted" in entry]
    assert [body["ran"][0][0] for body in acts] == [argv, argv]
    assert acts[1]["ran"][0][1] == 0
    assert acts[0]["t"] == acts[1]["t"]
    assert acts[0]["ms"] == acts[1]["ms"]


def test_a_stop_command_that_is_not_there_is_told(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act, "ROUND_S", 0.01)
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    arm(mark, told, stop=[["/nowhere/docker", "kill", "x"]]).carry_out(STOP, time.monotonic())
    entries = [told.get(timeout=DEADLINE_S) for _ in range(4)]
    assert entries[-1] == {
        "trouble": {"kind": "stop-command", "text": "`/nowhere/docker kill x` cannot be started"},
    }


def test_what_comes_up_after_the_stop_is_killed_too(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act, "ROUND_S", 0.2)
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    never = [sys.executable, "-c", "import sys; sys.exit(1)"]
    arm(mark, told, stop=[never]).carry_out(STOP, time.monotonic())
    with marked_process(mark) as late:
        assert late.wait(DEADLINE_S) == -signal.SIGKILL


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mark": ""}, "`mark`"),
        ({"mark": 7}, "`mark`"),
        ({"limits": None}, "`limits`"),
        ({"limits": {}}, "warn_bytes"),
        ({"limits": LIMITS | {"warn_bytes": "8"}}, "`limits`"),
        ({"stop": "docker kill x"}, "`stop`"),
        ({"stop": [["docker", 1]]}, "`stop`"),
        ({"stop": [[]]}, "`stop`"),
    ],
)
def test_an_order_that_is_none_is_refused_with_words(mark: str, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        arm(mark, queue.Queue(), **change)


def test_a_limit_of_a_later_version_is_ignored(mark: str) -> None:
    assert arm(mark, queue.Queue(), limits=LIMITS | {"later": 1}).limits.warn_bytes == 8 * GIB


def test_known_processes_are_killed_without_another_look(mark: str, victim: subprocess.Popen[bytes]) -> None:
    kept = Marked(mark)
    assert kept.kill() == []
    assert kept.refresh() == [victim.pid]
    assert kept.kill() == [victim.pid]
    assert victim.wait(DEADLINE_S) == -signal.SIGKILL
    assert kept.kill() == []
    assert kept.refresh() == []


def test_what_comes_up_is_known_soon_after(
    mark: str, victim: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marked, "REFRESH_S", 0.01)
    kept = Marked(mark)
    kept.watch()
    deadline = time.monotonic() + DEADLINE_S
    while victim.poll() is None:
        kept.kill()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    kept.close()


def test_after_the_guard_is_laid_down_nothing_is_known_or_looked_for(
    mark: str, victim: subprocess.Popen[bytes]
) -> None:
    kept = Marked(mark)
    kept.refresh()
    kept.close()
    assert kept.kill() == []
    assert kept.refresh() == []
    assert victim.poll() is None


@pytest.mark.parametrize("missing", [(os, "pidfd_open"), (signal, "pidfd_send_signal")], ids=["open", "send"])
def test_a_python_without_descriptors_of_processes_kills_by_number(
    mark: str, victim: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, missing: tuple[Any, str]
) -> None:
    monkeypatch.delattr(*missing)
    kept = Marked(mark)
    assert kept.refresh() == [victim.pid]
    assert kept.kill() == [victim.pid]
    assert victim.wait(DEADLINE_S) == -signal.SIGKILL
    kept.close()
