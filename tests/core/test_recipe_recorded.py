"""What `run-recipe.sh` and `docker` are really given, recorded by stand-ins on the PATH, against what the docs say."""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sparktui.profile.catalog import shipped_folder
from sparktui.profile.loader import load_profile, profile_from_data
from sparktui.profile.model import Profile
from sparktui.runner.plans import make_plans
from sparktui.serving.launch import Deployment
from sparktui.serving.local import LocalHost
from sparktui.serving.plan import Plan, Step
from sparktui.serving.planner import assign_ports, plan

DOCS = Path(__file__).parents[2] / "docs" / "launching.md"
RECORDER = """\
#!{python}
import json, os, sys
with open({log!r}, "a") as log:
    print(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]), file=log)
    if not sys.stdin.isatty() and sys.stdin.read():
        print(json.dumps(["stdin was not empty"]), file=log)
if sys.argv[1:] == ["--help"]:
    print("  --solo  -n NODES  -d  -t IMAGE  --name NAME  --no-ray" + {more!r})
"""


class Notes:
    """A ledger that keeps nothing."""

    async def started(self, step: Step) -> int:
        return 1

    async def spawned(self, number: int, pid: int, pid_started: float | None) -> None:
        return None

    async def gone(self, number: int) -> None:
        return None


class Stand:
    """A folder whose `run-recipe.sh` and `docker` write down what they are given."""

    def __init__(self, folder: Path, *, knows_ray: bool) -> None:
        self.folder = folder
        self._log = folder / "given.jsonl"
        more = "  --ray  use Ray" if knows_ray else ""
        for name in ("run-recipe.sh", "docker"):
            program = folder / name
            program.write_text(RECORDER.format(python=sys.executable, log=str(self._log), more=more))
            program.chmod(0o755)

    def given(self, program: str) -> list[list[str]]:
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        calls = [json.loads(line) for line in lines]
        assert ["stdin was not empty"] not in calls
        return [call[1:] for call in calls if call[0] == program]


def documented(heading: str) -> list[list[str]]:
    """Return the commands of a fenced block of the docs."""
    block = DOCS.read_text(encoding="utf-8").partition(heading)[2].split("```")[1]
    return [line.split()[1:] for line in block.strip().splitlines()]


def deployed(found: Plan, folder: Path) -> Deployment:
    """Return a deployment on this machine that asks no address of the plan whether it answers."""
    nodes = {step.node for step in found.steps}
    unasked = replace(found, url="", backends=())
    return Deployment(unasked, {node: LocalHost() for node in nodes}, folder, Notes(), mark="m")


def here(profile: Profile, folder: Path) -> Profile:
    """Return the published profile with both nodes on this machine, in the stand's folder."""
    data = profile.model_dump()
    for node in data["nodes"].values():
        node.update(host="local", workdir=str(folder))
    return profile_from_data(data, profile.name)


@pytest.mark.parametrize(
    ("knows_ray", "heading"), [(True, "Today (clusters"), (False, "April 2026 (clusters")], ids=["today", "april"]
)
async def test_the_published_profile_gives_run_recipe_exactly_what_the_docs_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knows_ray: bool, heading: str
) -> None:
    stand = Stand(tmp_path, knows_ray=knows_ray)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    profile = here(load_profile(shipped_folder() / "gemma4-26b-a4b.yaml"), tmp_path)
    plans = await make_plans(profile, tmp_path)
    for name in ("solo", "cluster-tp2", "cluster-tp2-ray"):
        found = plans[name]
        assert isinstance(found, Plan)
        deployment = deployed(found, tmp_path)
        await deployment.launch()
        await deployment.stop()
    given = [call for call in stand.given("run-recipe.sh") if call != ["--help"]]
    assert given == documented(heading)


async def test_the_image_is_looked_for_on_every_node_first_and_the_container_stopped_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = Stand(tmp_path, knows_ray=True)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    profile = here(load_profile(shipped_folder() / "gemma4-26b-a4b.yaml"), tmp_path)
    found = plan(profile, "cluster-tp2", assign_ports(profile, "cluster-tp2", itertools.count(1)), tmp_path)
    deployment = deployed(found, tmp_path)
    await deployment.launch()
    launched = stand.given("docker")
    await deployment.stop()
    assert launched[-2:] == [["image", "inspect", "--format", "{{.Id}}", "vllm-node-20260405"]] * 2
    after = stand.given("docker")[len(launched) :]
    assert ["stop", "sparktui"] in after
    assert after.index(["logs", "--tail", "200", "sparktui"]) < after.index(["stop", "sparktui"])


async def test_docker_gets_one_run_a_replica_with_every_word_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = Stand(tmp_path, knows_ray=True)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    hostile = "$(touch owned); `id` 'x' \"y\"\nz"
    profile = profile_from_data(
        {
            "name": "boxes",
            "nodes": {"a": {}, "b": {}},
            "model": {"id": hostile},
            "serving": {
                "launcher": "docker",
                "image": "vllm/vllm-openai:v1",
                "argv": ("--model", "{model}", "--port", "{port}", hostile),
                "volumes": ("/models:/models:ro",),
                "env": {"X": hostile},
                "pass_env": ("HF_TOKEN",),
            },
            "topologies": {"each": {"kind": "replicas", "nodes": ("a", "b")}},
        },
        "boxes",
    )
    found = plan(profile, "each", assign_ports(profile, "each", itertools.count(1)), tmp_path)
    without_router = tuple(step for step in found.steps if not step.secret_env)
    deployment = deployed(replace(found, steps=without_router), tmp_path)
    await deployment.launch()
    await deployment.stop()
    runs = [call for call in stand.given("docker") if call[0] == "run"]
    assert [call[call.index("--name") + 1] for call in runs] == ["sparktui-a", "sparktui-b"]
    assert [call[call.index("--port") + 1] for call in runs] == ["8000", "8001"]
    assert all(
        hostile in call and f"X={hostile}" in call and call[call.index("--env") + 3] == "HF_TOKEN" for call in runs
    )
    assert not (tmp_path / "owned").exists()
