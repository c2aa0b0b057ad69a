"""The commands of the shipped profiles, word for word: what `sparktui run PROFILE --dry-run` prints."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from sparktui.errors import LaunchError
from sparktui.profile.catalog import shipped_folder
from sparktui.profile.loader import load_profile
from sparktui.serving.planner import assign_ports, plan
from sparktui.serving.recipe import APRIL_2026, TODAY, known_flags
from sparktui.serving.render import render

PLANS = Path(__file__).parent / "data" / "plans"
APRIL_HELP = """\
usage: run-recipe.py [-h] [--list] [--solo] [-n NODES] [-d] [-t CONTAINER_OVERRIDE] [-e VAR=VALUE] [--no-ray]
                     [--master-port MASTER_PORT] [--name CONTAINER_NAME] [--eth-if ETH_IF]
  --solo                Run in solo mode (single node, no Ray)
  --no-ray              No-Ray mode: run multi-node vLLM without Ray
"""
TODAYS_HELP = APRIL_HELP + "  --ray                 Use Ray and ensure --distributed-executor-backend ray is present\n"


def dry_run(name: str, flags: frozenset[str] = TODAY) -> str:
    profile = load_profile(shipped_folder() / f"{name}.yaml")
    plans = [
        plan(
            profile,
            topology,
            assign_ports(profile, topology, itertools.count(18000)),
            Path("/state"),
            recipe_flags=flags,
            python="python",
        )
        for topology in profile.topologies
    ]
    return "\n".join(render(each) for each in plans)


@pytest.mark.parametrize(
    ("name", "flags", "golden"),
    [
        ("gemma4-26b-a4b", TODAY, "gemma4-26b-a4b.today.txt"),
        ("gemma4-26b-a4b", APRIL_2026, "gemma4-26b-a4b.april-2026.txt"),
        ("demo", TODAY, "demo.txt"),
        ("two-vllm", TODAY, "two-vllm.txt"),
    ],
)
def test_a_shipped_profile_types_exactly_this(name: str, flags: frozenset[str], golden: str) -> None:
    assert dry_run(name, flags) == (PLANS / golden).read_text(encoding="utf-8")


def test_the_same_profile_gives_the_same_plan() -> None:
    assert dry_run("gemma4-26b-a4b") == dry_run("gemma4-26b-a4b")


def test_the_flags_of_run_recipe_are_read_from_its_help() -> None:
    assert {"--solo", "-n", "-d", "-t", "-e", "--no-ray", "--name", "--eth-if"} <= known_flags(APRIL_HELP)
    assert "--ray" not in known_flags(APRIL_HELP)
    assert {"--ray", "--no-ray"} <= known_flags(TODAYS_HELP)
    assert dry_run("gemma4-26b-a4b", known_flags(APRIL_HELP)) == dry_run("gemma4-26b-a4b", APRIL_2026)
    assert dry_run("gemma4-26b-a4b", known_flags(TODAYS_HELP)) == dry_run("gemma4-26b-a4b", TODAY)


def test_a_script_that_cannot_do_without_ray_is_refused_for_a_cluster_without_ray() -> None:
    with pytest.raises(LaunchError, match="neither --ray nor --no-ray"):
        dry_run("gemma4-26b-a4b", frozenset())
