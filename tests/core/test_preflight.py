from __future__ import annotations

import pytest

from sparktui.doctor.look import Answers
from sparktui.doctor.wanted import wanted_of
from sparktui.errors import LaunchError
from sparktui.profile.catalog import shipped_folder
from sparktui.profile.loader import load_profile
from sparktui.profile.model import Docker, Profile, Vllm
from sparktui.runner.preflight import Preflight, launchable, look_first
from sparktui.serving.plan import Plan

VLLM = "vllm /opt/bin/vllm"
FABRIC = "enp1s0f0np0 up 9000 200000"
ETHERNET = "eth0 up 1500 1000"


def two_vllm(**env: str) -> Profile:
    profile = load_profile(shipped_folder() / "two-vllm.yaml")
    assert isinstance(profile.serving, Vllm)
    changed = profile.serving.model_copy(update={"env": env or profile.serving.env})
    return profile.model_copy(update={"serving": changed})


def said(**values: str | list[str]) -> Answers:
    usual = {"addresses": "10.0.0.1 10.0.0.2", "cache": "writable", "psi": "0.00", "ray": "2.60.0"}
    found = {**usual, **values}
    return Answers({name: [value] if isinstance(value, str) else value for name, value in found.items()}, 0.0, 0.1)


def both(profile: Profile, **values: str | list[str]) -> Preflight:
    return Preflight(profile, {node: said(**values) for node in profile.nodes})


def test_a_topology_is_refused_for_what_it_needs_itself_and_another_is_not() -> None:
    profile = two_vllm()
    found = both(profile, program=[VLLM], interface=[ETHERNET])
    plans = {name: Plan(name, "m", "", ()) for name in profile.topologies}
    after = launchable(found, plans)
    refused = {name for name, plan in after.items() if isinstance(plan, LaunchError)}
    assert refused == {"cluster-tp2", "cluster-tp2-ray"}
    why = found.refusal("cluster-tp2")
    assert why is not None
    assert why.message.startswith("not launched: one: interface enp1s0f0np0 is not there; two: interface")
    assert why.hint == "it has eth0; correct the name in the profile"


def test_what_may_still_come_right_is_told_and_refuses_nothing() -> None:
    found = both(two_vllm(), program=[VLLM], interface=[FABRIC], addresses="10.9.9.9", ray="")
    assert found.refusal("cluster-tp2-ray") is None
    subjects = {finding.subject for finding in found.problems("cluster-tp2-ray")}
    assert subjects == {"address", "ray"}


def test_memory_and_ports_are_looked_at_right_before_each_launch() -> None:
    found = both(two_vllm(), program=[VLLM], port=["8000"], MemTotal="8000000", MemAvailable="1000")
    assert list(found.problems("solo")) == []


def test_a_node_that_did_not_answer_refuses_nothing_here() -> None:
    assert Preflight(two_vllm(), {}).refusal("cluster-tp2") is None


def test_a_program_on_a_path_of_the_profiles_own_is_not_missed() -> None:
    assert both(two_vllm(PATH="/opt/vllm/bin:/usr/bin"), program=["vllm -"]).refusal("solo") is None
    assert both(two_vllm(), program=["vllm -"]).refusal("solo") is not None


@pytest.mark.parametrize(
    ("name", "refused"), [("enp", False), ("=enp1s0f0np0", False), ("=enp", True), ("^eth", False), ("ib", True)]
)
def test_nccl_names_interfaces_by_their_beginning(name: str, refused: bool) -> None:
    found = both(two_vllm(NCCL_SOCKET_IFNAME=name), program=[VLLM], interface=[FABRIC, ETHERNET])
    assert (found.refusal("cluster-tp2") is not None) is refused


def test_an_image_is_missed_only_by_a_docker_that_answers() -> None:
    serving = Docker(launcher="docker", image="vllm:1")
    profile = two_vllm().model_copy(update={"serving": serving})
    assert both(profile, docker="28.2.2", image=["vllm:1 -"]).refusal("solo") is not None
    assert both(profile, docker="Cannot connect to the daemon", image=["vllm:1 -"]).refusal("solo") is None
    assert both(profile, image=["vllm:1 -"]).refusal("solo") is not None


async def test_simulated_nodes_are_not_asked() -> None:
    found = await look_first(load_profile(shipped_folder() / "demo.yaml"), {}, ["solo"])
    assert found.said == {}


def test_one_interface_is_asked_for_once() -> None:
    assert wanted_of(two_vllm(), "one").interfaces == ("enp1s0f0np0",)
