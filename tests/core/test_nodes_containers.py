"""Whose container a guard stops once its runner is gone: the one that it knew, and none that came to have the name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sparktui.nodes import containers
from sparktui.nodes.arming import CONTAINERS_S, Arming
from sparktui.nodes.containers import Containers
from tests.core.test_nodes_arming import LIMITS
from tests.faults.agents import until

KILL = ("docker", "kill", "vllm")
OURS, THEIRS = "0" * 63 + "a", "0" * 63 + "b"
DOCKER = """\
#!/bin/sh
. {state}
"""
SILENT = "exec sleep 600"
REFUSING = "echo 'Cannot connect to the Docker daemon' >&2; exit 1"


class Docker:
    """A `docker` on the PATH that says what is running."""

    def __init__(self, folder: Path) -> None:
        self._state = folder / "state"
        program = folder / "docker"
        self.runs()
        program.write_text(DOCKER.format(state=self._state))
        program.chmod(0o755)

    def runs(self, **running: str) -> None:
        """Let these ids run under these names."""
        self.does("\n".join(f"echo {identity} {name}" for name, identity in running.items()))

    def does(self, script: str) -> None:
        """Answer like this from now on."""
        draft = self._state.with_suffix(".new")
        draft.write_text(script + "\n")
        os.replace(draft, self._state)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return Docker(tmp_path)


@pytest.fixture
def armed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Arming]:
    """Arm for a container; docker is asked often."""
    monkeypatch.setattr(containers, "LEARN_S", 0.01)
    monkeypatch.setattr(containers, "CONFIRM_S", 0.01)
    monkeypatch.setattr(containers, "LIST_DEADLINE_S", 1.0)

    def arm(tell: Callable[[Any], object] = lambda _: None) -> Arming:
        order = {"do": "arm", "mark": f"1-1-{tmp_path}", "stop": [list(KILL)], "limits": LIMITS, "what": "solo"}
        return Arming("gf1", order, tell)

    return arm


def looked_after() -> Containers:
    return Containers([KILL])


def test_with_a_runner_the_name_is_stopped_whatever_docker_says(docker: Docker) -> None:
    found = looked_after()
    for answer in ("", f"echo {OURS} vllm", "", REFUSING):
        docker.does(answer)
        found.refresh()
        assert found.commands() == [KILL]


def test_without_a_runner_the_container_that_was_known_is_stopped_by_its_id(docker: Docker) -> None:
    docker.runs(other=THEIRS, vllm=OURS)
    found = looked_after()
    found.refresh()
    found.runner_is_gone()
    assert found.commands() == [("docker", "kill", OURS)]
    found.refresh()
    assert found.commands() == [("docker", "kill", OURS)]


@pytest.mark.parametrize("first", [{"vllm": OURS}, {}], ids=["ended", "was not there"])
def test_who_gets_the_name_when_the_runner_is_gone_is_somebody_else(docker: Docker, first: dict[str, str]) -> None:
    docker.runs(**first)
    found = looked_after()
    found.refresh()
    found.runner_is_gone()
    docker.runs(vllm=THEIRS)
    found.refresh()
    assert found.commands() == []
    found.runner_is_back()
    found.refresh()
    assert found.commands() == [KILL]


@pytest.mark.parametrize("trouble", [SILENT, REFUSING])
def test_while_docker_says_nothing_the_name_is_stopped_and_what_was_known_stays_known(
    docker: Docker, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "LIST_DEADLINE_S", 0.2)
    docker.does(trouble)
    found = looked_after()
    found.refresh()
    found.runner_is_gone()
    assert found.commands() == [KILL]
    docker.runs(vllm=OURS)
    found.refresh()
    docker.does(trouble)
    found.refresh()
    assert found.commands() == [("docker", "kill", OURS)]


def test_other_commands_are_run_as_they_are(docker: Docker) -> None:
    other = ("stop-it", "kill", "vllm")
    found = Containers([other, KILL])
    found.refresh()
    found.runner_is_gone()
    assert found.commands() == [other]


def test_a_guard_ends_once_the_container_that_it_knew_is_gone(docker: Docker, armed: Callable[..., Arming]) -> None:
    docker.runs(vllm=OURS)
    arming = armed()
    assert arming.holds(601.0)
    until(lambda: arming.containers.commands() == [("docker", "kill", OURS)], "it is known")
    docker.runs(vllm=THEIRS)
    until(lambda: not arming.holds(602.0), "it is gone")
    arming.close()


def test_a_guard_holds_for_a_day_what_docker_says_nothing_of(docker: Docker, armed: Callable[..., Arming]) -> None:
    docker.does(SILENT)
    arming = armed()
    assert arming.holds(CONTAINERS_S - 1)
    assert not arming.holds(CONTAINERS_S)
    arming.close()
