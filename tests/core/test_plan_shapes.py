"""From profile to plan: ranks, ports, addresses, routers, and what is undone, for every launcher."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import yaml

from sparktui.profile.loader import parse_profile
from sparktui.profile.model import Profile
from sparktui.serving.layout import address_of, url_of
from sparktui.serving.plan import Plan, Ports, Step
from sparktui.serving.planner import assign_ports, plan

STATE = Path("/state")
THREE = """
name: three
nodes:
  a: {address: 10.0.0.1, workdir: ~/work}
  b: {host: user@b.lan, address: 10.0.0.2, env: {NCCL_IB_GID_INDEX: "4"}}
  c: {host: c}
model: {id: org/m, path: /models/m, weights_gib: 30.0}
serving: SERVING
topologies:
  one: {kind: solo, nodes: [c], max_model_len: 4096}
  all: {kind: cluster, nodes: [a, b, c]}
  ray: {kind: cluster, nodes: [a, b, c], distributed: ray}
  each: {kind: replicas, nodes: [b, a], router: {node: ROUTER, executable: /opt/litellm/bin/litellm}}
"""
VLLM = "{launcher: vllm, executable: /opt/v/bin/vllm, env: {A: x}, extra_args: [--seed, '1']}"
RECIPE = "{launcher: recipe, recipe: r, image: i:1, env: {A: x}, extra_args: [--seed, '1']}"
COMMAND = "{launcher: command, argv: [./serve, '{model}', '--at={address}:{port}', '{node}', '{all}', '{addresses}']}"
LOCAL = """
name: local
nodes: {a: {host: HOST}, b: {host: HOST}}
model: {id: m, weights_gib: 30.0}
serving: SERVING
topologies:
  one: {kind: solo, nodes: [b]}
  pair: {kind: cluster, nodes: [a, b], distributed: ray}
  each: {kind: replicas, nodes: [a, b]}
"""


def three(serving: str, router: str = "a") -> Profile:
    text = THREE.replace(', env: {NCCL_IB_GID_INDEX: "4"}', "") if serving == RECIPE else THREE
    return parse_profile(text.replace("SERVING", serving).replace("ROUTER", router), "three.yaml")


def local(serving: str, host: str = "local") -> Profile:
    return parse_profile(LOCAL.replace("SERVING", serving).replace("HOST", host), "local.yaml")


def planned(profile: Profile, topology: str) -> Plan:
    ports = assign_ports(profile, topology, itertools.count(18000))
    return plan(profile, topology, ports, STATE, python="python")


def following(step: Step, flag: str) -> str:
    return step.argv[step.argv.index(flag) + 1]


def test_a_solo_asks_its_node_under_its_own_name() -> None:
    steps = planned(three(VLLM), "one")
    assert steps.url == "http://c:8000"
    assert [(backend.node, backend.url) for backend in steps.backends] == [("c", "http://c:8000")]
    assert steps.model == "org/m"
    (engine,) = steps.steps
    assert engine.argv == (
        *("/opt/v/bin/vllm", "serve", "/models/m", "--served-model-name", "org/m"),
        *("--host", "0.0.0.0", "--port", "8000", "--max-model-len", "4096", "--seed", "1"),
    )
    assert engine.background
    assert not engine.undo


def test_ranks_start_last_to_first_and_only_rank_0_listens() -> None:
    steps = planned(three(VLLM), "all").steps
    assert [(step.node, following(step, "--node-rank"), "--headless" in step.argv) for step in steps] == [
        ("c", "2", True),
        ("b", "1", True),
        ("a", "0", False),
    ]
    assert {following(step, "--master-addr") for step in steps} == {"10.0.0.1"}
    assert {following(step, "--nnodes") for step in steps} == {"3"}
    assert [("--port" in step.argv) for step in steps] == [False, False, True]


def test_each_node_has_the_shared_environment_its_own_and_its_address() -> None:
    env = {step.node: step.env for step in planned(three(VLLM), "all").steps}
    assert env["a"] == {"VLLM_HOST_IP": "10.0.0.1", "A": "x"}
    assert env["b"] == {"VLLM_HOST_IP": "10.0.0.2", "A": "x", "NCCL_IB_GID_INDEX": "4"}
    assert env["c"]["VLLM_HOST_IP"] == "c"


def test_ray_comes_up_head_first_and_no_other_ray_is_stopped_with_it() -> None:
    *rays, engine = planned(three(VLLM), "ray").steps
    assert [step.node for step in rays] == ["a", "b", "c"]
    assert rays[0].argv[:5] == ("/opt/v/bin/ray", "start", "--head", "--port", "6379")
    assert rays[1].argv[:4] == ("/opt/v/bin/ray", "start", "--address", "10.0.0.1:6379")
    assert all(step.undo == () and not step.background for step in rays)
    assert (engine.node, engine.env["RAY_ADDRESS"]) == ("a", "10.0.0.1:6379")
    assert following(engine, "--distributed-executor-backend") == "ray"


def test_a_recipe_cluster_can_be_undone_on_every_node_even_half_way() -> None:
    steps = planned(three(RECIPE), "all").steps
    assert [step.node for step in steps] == ["a", "b", "c", "a"]
    assert {step.node for step in steps if step.undo == ("docker", "stop", "sparktui")} == {"a", "b", "c"}
    assert {step.node for step in steps if step.logs} == {"a", "b", "c"}
    launch = steps[-1]
    assert following(launch, "-n") == "10.0.0.1,10.0.0.2,c"
    assert following(launch, "--tp") == "3"
    assert launch.argv[-3:] == ("--", "--seed", "1")
    assert launch.cwd == "~/work"
    assert not any(step.background for step in steps)


def test_recipe_replicas_are_solos_on_their_own_nodes() -> None:
    steps = planned(three(RECIPE), "each").steps
    assert [step.title for step in steps] == ["image on b", "image on a", "engine on b", "engine on a", "router on a"]
    engines = {step.node: step for step in steps if step.title.startswith("engine")}
    assert all("--solo" in step.argv and "-n" not in step.argv for step in engines.values())
    assert engines["b"].cwd == "~/spark-vllm-docker"
    assert all(following(step, "-e") == "A=x" for step in engines.values())


def test_the_router_shuffles_over_the_replicas_by_their_nodes_names() -> None:
    steps = planned(three(VLLM), "each")
    assert steps.url == "http://127.0.0.1:4000"
    assert steps.api_key_env == "LITELLM_MASTER_KEY"
    router = steps.steps[-1]
    ((path, text),) = router.files.items()
    assert router.argv == ("/opt/litellm/bin/litellm", "--config", path, "--host", "127.0.0.1", "--port", "4000")
    assert path == "/state/litellm-three-each.yaml"
    assert router.secret_env == ("LITELLM_MASTER_KEY",)
    assert "LITELLM_MASTER_KEY" not in router.env
    config = yaml.safe_load(text)
    assert [entry["model_info"]["id"] for entry in config["model_list"]] == ["b", "a"]
    assert [entry["litellm_params"]["api_base"] for entry in config["model_list"]] == [
        "http://10.0.0.2:8000/v1",
        "http://10.0.0.1:8000/v1",
    ]
    assert {entry["model_name"] for entry in config["model_list"]} == {"org/m"}
    assert config["router_settings"] == {"routing_strategy": "simple-shuffle", "num_retries": 0}
    assert config["litellm_settings"]["telemetry"] is False


def test_a_router_on_another_node_listens_there_and_keeps_its_config_there() -> None:
    steps = planned(three(VLLM, router="b"), "each")
    router = steps.steps[-1]
    assert (router.node, steps.url, following(router, "--host")) == ("b", "http://10.0.0.2:4000", "10.0.0.2")
    assert list(router.files) == [".cache/sparktui/litellm-three-each.yaml"]


def test_a_command_is_filled_in_once_and_runs_once_for_a_cluster() -> None:
    profile = three(COMMAND)
    (engine,) = planned(profile, "one").steps
    assert engine.argv == ("./serve", "org/m", "--at=c:8000", "c", "{all}", "c")
    (head,) = planned(profile, "all").steps
    assert (head.node, head.argv[-1], head.cwd) == ("a", "10.0.0.1,10.0.0.2,c", "~/work")
    sly = parse_profile(THREE.replace("SERVING", COMMAND).replace("ROUTER", "a").replace("org/m", "'{port}'"), "x.yaml")
    assert planned(sly, "one").steps[0].argv[1] == "{port}"


def test_replicas_on_one_address_count_their_ports_up() -> None:
    steps = planned(local("{launcher: vllm, port: 8100}"), "each")
    assert [backend.url for backend in steps.backends] == ["http://127.0.0.1:8100", "http://127.0.0.1:8101"]
    assert [following(step, "--port") for step in steps.steps] == ["8100", "8101", "4000"]
    assert [following(step, "--host") for step in steps.steps] == ["127.0.0.1"] * 3


def test_given_ports_win_over_the_profiles() -> None:
    profile = local("{launcher: vllm}")
    steps = plan(profile, "each", Ports({"b": 9001}, router=9002), STATE)
    assert [backend.url for backend in steps.backends] == ["http://127.0.0.1:8000", "http://127.0.0.1:9001"]
    assert steps.url == "http://127.0.0.1:9002"


def test_only_what_has_no_port_of_its_own_takes_a_free_one() -> None:
    assert assign_ports(local("{launcher: vllm}"), "each", iter(())) == Ports()
    simulated = local("{launcher: simulated}", host="simulated")
    taken = {name: assign_ports(simulated, name, itertools.count(1)) for name in simulated.topologies}
    assert taken == {"one": Ports({"b": 1}), "pair": Ports({"a": 1}), "each": Ports({"a": 1, "b": 2}, router=3)}


def test_a_simulated_cluster_shares_the_weights_and_its_head_answers() -> None:
    rank1, rank0 = planned(local("{launcher: simulated, seed: 7}", host="simulated"), "pair").steps
    assert [step.node for step in (rank1, rank0)] == ["b", "a"]
    assert "--headless" in rank1.argv
    assert "--headless" not in rank0.argv
    assert {following(step, "--weights-gib") for step in (rank1, rank0)} == {"15.000"}
    assert {following(step, "--topology") for step in (rank1, rank0)} == {"cluster-tp2-ray"}
    assert following(rank0, "--seed") == "7"
    assert following(rank0, "--state-dir") == "/state"


def test_simulated_replicas_are_solos_behind_a_simulated_router() -> None:
    steps = planned(local("{launcher: simulated}", host="simulated"), "each")
    assert [following(step, "--topology") for step in steps.steps[:2]] == ["solo", "solo"]
    router = steps.steps[-1]
    assert router.argv[1:3] == ("-m", "sparktui.sim.router")
    assert "a=http://127.0.0.1:18000" in router.argv
    assert "b=http://127.0.0.1:18001" in router.argv
    assert steps.url == "http://127.0.0.1:18002"
    assert steps.api_key_env is None


@pytest.mark.parametrize("url", ["http://x:1", "http://x:1/", "http://x:1/v1", "http://x:1/v1/"])
def test_a_server_that_is_up_has_nothing_to_start(url: str) -> None:
    text = LOCAL[: LOCAL.index("  pair")].replace("HOST", "local")
    profile = parse_profile(
        text.replace("SERVING", f"{{launcher: external, url: '{url}', api_key_env: KEY}}"), "x.yaml"
    )
    steps = planned(profile, "one")
    assert (steps.url, steps.steps, steps.api_key_env) == ("http://x:1", (), "KEY")
    assert [backend.url for backend in steps.backends] == ["http://x:1"]


@pytest.mark.parametrize(
    ("node", "address"),
    [
        ("{}", "127.0.0.1"),
        ("{host: simulated, address: 10.0.0.9}", "127.0.0.1"),
        ("{address: 10.0.0.9}", "10.0.0.9"),
        ("{host: gf1}", "gf1"),
        ("{host: user@gf1.lan}", "gf1.lan"),
        ("{host: 'ssh://user@gf1.lan:2222'}", "gf1.lan"),
        ("{host: gf1, address: 'fe80::1'}", "fe80::1"),
    ],
)
def test_a_node_is_reached_at_its_address_or_its_host(node: str, address: str) -> None:
    launcher = "simulated" if "simulated" in node else "vllm"
    text = f"name: n\nnodes: {{n: {node}}}\nmodel: {{id: m, weights_gib: 1.0}}\nserving: {{launcher: {launcher}}}\n"
    profile = parse_profile(text + "topologies: {one: {kind: solo, nodes: [n]}}\n", "x.yaml")
    assert address_of(profile.nodes["n"]) == address


def test_an_ipv6_address_is_bracketed_in_a_url() -> None:
    assert url_of("fe80::1", 8000) == "http://[fe80::1]:8000"
