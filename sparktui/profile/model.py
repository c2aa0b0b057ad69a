"""What a profile says, as frozen values. Loading and error messages are in `loader.py`; nothing here touches a file."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sparktui.faults import Fault
from sparktui.profile.fields import (
    Address,
    ContainerName,
    Destination,
    EnvName,
    Executable,
    File,
    Folder,
    Fraction,
    Gib,
    Name,
    PlainValue,
    PlainWord,
    Port,
    Seed,
    Word,
    base_url,
    rising,
    without_own_keys,
    without_secrets,
)

GIB = 1024**3
Env = Annotated[dict[EnvName, str], AfterValidator(without_secrets)]


class Frozen(BaseModel):
    """Unknown keys are refused, nothing is coerced silently, nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Floors(Frozen):
    """MemAvailable, in GiB, below which a node is not launched on, is warned about, or is stopped."""

    refuse_gib: Gib = 8.0
    warn_gib: Gib = 8.0
    loading_stop_gib: Gib = 8.0
    serving_stop_gib: Gib = 4.0

    def stop_gib(self, phase: str) -> float:
        """Return the stop floor of a phase: loading takes memory fastest, so it has its own."""
        return self.loading_stop_gib if phase in ("loading", "warming") else self.serving_stop_gib


class OwnFloors(Frozen):
    """One node's own floors: those that are given take the place of what it would have."""

    refuse_gib: Gib | None = None
    warn_gib: Gib | None = None
    loading_stop_gib: Gib | None = None
    serving_stop_gib: Gib | None = None

    def over(self, floors: Floors) -> Floors:
        """Return floors with these in place."""
        return floors.model_copy(update=self.model_dump(exclude_none=True))


FRAGILE_FLOORS = Floors(refuse_gib=20.0, warn_gib=12.0, loading_stop_gib=16.0, serving_stop_gib=6.0)
"""For nodes marked fragile. Where these numbers come from: docs/memory.md."""


class Node(Frozen):
    """One machine."""

    host: Destination = "local"
    """`local`, `simulated`, or what `ssh` is given: a host name or an alias from the user's ssh config."""
    address: Address | None = None
    """The address the other nodes reach it at; `host` where that is left out."""
    fragile: bool = False
    """It dies under memory pressure: the higher floors apply."""
    floors: OwnFloors = OwnFloors()
    """Where this node is known to bear more, or less, than others of its kind."""
    workdir: Folder | None = None
    """The folder that commands run in, on that node."""
    env: Env = {}
    """Added to `serving.env` on this node: what differs from node to node, such as NCCL_IB_GID_INDEX."""


class Model(Frozen):
    """What is served."""

    id: Word
    """The name requests ask for, as `/v1/models` lists it."""
    path: Word | None = None
    """What the engine is told to load, where that differs from `id`."""
    weights_gib: Gib | None = None
    """All weights together."""
    weights_gib_per_rank: Gib | None = None
    """What each rank of a cluster holds: some parts are on every rank. An Nth of `weights_gib` where left out."""
    tokenizer: str | None = None

    def rank_weights_gib(self, ranks: int) -> float | None:
        """Return what one of so many ranks holds of the weights; None where that is not known."""
        if ranks > 1 and self.weights_gib_per_rank is not None:
            return self.weights_gib_per_rank
        return None if self.weights_gib is None else self.weights_gib / ranks


class Simulated(Frozen):
    """The embedded engine on simulated nodes."""

    launcher: Literal["simulated"]
    seed: Seed = 1
    load_seconds: Annotated[float, Field(gt=0, le=3600)] = 3.0
    """How long a simulated model takes to load."""
    kv_gib: Gib = 51.0
    """What the KV cache takes on each node, at once, when the weights are in."""
    fault: Fault | None = None
    """What goes wrong, so that the guard and the findings can be seen at work; see docs/health.md."""
    fault_topology: str | None = None
    """While which topology; the first that the fault can happen to where left out."""
    fault_node: str | None = None
    """On which of its nodes; the last where left out."""


class External(Frozen):
    """A server that is already up; nothing is started or stopped."""

    launcher: Literal["external"]
    url: Annotated[str, AfterValidator(base_url)]
    """Base address, with or without `/v1`."""
    api_key_env: EnvName | None = None
    """The environment variable that holds the key."""
    api_key_file: File | None = None
    """The file that holds it, and nothing else; read when it is needed, never stored."""

    @model_validator(mode="after")
    def _one_key(self) -> External:
        if self.api_key_env is not None and self.api_key_file is not None:
            raise ValueError("expected api_key_env or api_key_file, not both")
        return self


class Recipe(Frozen):
    """spark-vllm-docker's `run-recipe.sh`."""

    launcher: Literal["recipe"]
    recipe: Word
    image: PlainWord
    port: Port = 8000
    gpu_memory_utilization: Fraction | None = None
    eth_if: PlainWord | None = None
    container: ContainerName = "sparktui"
    env: Annotated[dict[EnvName, PlainValue], AfterValidator(without_secrets)] = {}
    """Passed into every container."""
    extra_args: tuple[str, ...] = ()
    """Passed to `vllm serve` after `--`."""


class Vllm(Frozen):
    """Plain `vllm serve` processes."""

    launcher: Literal["vllm"]
    executable: Executable = "vllm"
    """`ray` is looked for beside it."""
    port: Port = 8000
    master_port: Port = 29501
    ray_port: Port = 6379
    gpu_memory_utilization: Fraction | None = None
    env: Env = {}
    extra_args: tuple[str, ...] = ()


class Docker(Frozen):
    """One `docker run` a replica, on the node's own network."""

    launcher: Literal["docker"]
    image: Word
    argv: tuple[str, ...] = ()
    """What follows the image; placeholders as of launcher command."""
    port: Port = 8000
    gpus: Annotated[str, Field(pattern=r"^[^-]*$")] = "all"
    """`--gpus`; empty for none."""
    volumes: tuple[Word, ...] = ()
    """`HOST:CONTAINER[:ro]`, such as a model folder; a relative path or `~` is not filled in."""
    container: ContainerName = "sparktui"
    """What the containers' names begin with; the node's name follows."""
    env: Env = {}
    pass_env: tuple[EnvName, ...] = ()
    """Variables handed on from the node's own environment, such as HF_TOKEN: by name, never by value."""


class Command(Frozen):
    """Any program that ends up serving an OpenAI-compatible API on a port."""

    launcher: Literal["command"]
    argv: tuple[str, ...] = Field(min_length=1)
    """`{port}`, `{model}`, `{node}`, `{address}` and, for a cluster, `{addresses}` are filled in; no shell sees it."""
    port: Port = 8000
    env: Env = {}

    @model_validator(mode="after")
    def _names_a_program(self) -> Command:
        if re.match(r"[^-=~][^=]*\Z", self.argv[0]) is None:
            raise ValueError("argv must begin with a program's name or path, without '=', '-' or '~' in front")
        return self


Serving = Annotated[Simulated | External | Recipe | Vllm | Docker | Command, Field(discriminator="launcher")]


class Router(Frozen):
    """The proxy in front of several replicas: LiteLLM with simple-shuffle, from an environment of its own."""

    executable: Executable = "litellm"
    port: Port = 4000
    node: str | None = None
    """Where it runs; the first node of the topology where left out."""


class Topology(Frozen):
    """How the model is spread over nodes."""

    kind: Literal["solo", "cluster", "replicas"]
    nodes: tuple[str, ...] = Field(min_length=1)
    """For a cluster the first is the head, rank 0."""
    distributed: Literal["torch", "ray"] = "torch"
    """For a cluster: PyTorch distributed, or Ray."""
    max_model_len: Annotated[int, Field(ge=1, le=2**31)] | None = None
    router: Router | None = None
    description: str = ""

    @model_validator(mode="after")
    def _nodes_fit_kind(self) -> Topology:
        if len(set(self.nodes)) != len(self.nodes):
            raise ValueError("a node is named twice in nodes")
        if self.kind == "solo" and len(self.nodes) != 1:
            raise ValueError("kind solo takes exactly one node in nodes")
        if self.kind != "solo" and len(self.nodes) < 2:
            raise ValueError(f"kind {self.kind} takes two or more nodes in nodes")
        return self


class Sampling(Frozen):
    """What is asked of the engine beside the prompt; recorded with every campaign."""

    temperature: Annotated[float, Field(ge=0)] | None = None
    exact_tg: bool = True
    """Ask for `min_tokens` and `ignore_eos`, so that each stream has exactly `tg` tokens, unless the server refuses."""
    token_ids: bool = True
    """Ask for `return_token_ids`, so that tokens can be counted event by event, unless the server refuses."""
    extra_body: Annotated[dict[str, object], AfterValidator(without_own_keys)] = {}
    """Further keys of the request body."""


class Workload(Frozen):
    """What each topology is loaded with."""

    pp: Annotated[int, Field(ge=1, le=10_000_000)] = 1024
    """Prompt tokens, counted by the server's tokenizer, chat template included."""
    tg: Annotated[int, Field(ge=1, le=100_000)] = 128
    """Tokens to generate."""
    depth: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    """Context tokens in front of the prompt."""
    concurrency: Annotated[
        tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(min_length=1), AfterValidator(rising)
    ] = (1, 2, 4, 8, 16, 32, 64)
    runs: Annotated[int, Field(ge=1, le=100_000)] = 3
    """Waves, or pool runs, per level, warm-up not counted."""
    precision: Annotated[float, Field(gt=0, lt=1)] | None = None
    """End a cell when half the 95 % intervals of its means are within this fraction: 0.02; None takes all runs."""
    min_runs: Annotated[int, Field(ge=3, le=100_000)] = 5
    """Waves before the first look at the intervals."""
    until: Literal["crossover"] | None = None
    """Measure a coarse ladder, and new levels where topologies cross; None measures every level."""
    warmup_waves: Annotated[int, Field(ge=0, le=1000)] = 1
    """Waves, or pool runs, measured and thrown away before each level's first."""
    shape: Literal["waves", "pool"] = "waves"
    """Requests started together and waited for together, or slots that each send their next request at once."""
    pool_turns: Annotated[int, Field(ge=2, le=10_000)] = 5
    """Requests of each slot in one pool run."""
    api: Literal["chat", "completions"] = "chat"
    seed: Seed = 0
    """Of the prompts: the same prompts for every topology."""
    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    """A request not ended by then has failed."""
    sampling: Sampling = Sampling()


class Memory(Frozen):
    """What the guard and the verdict before a launch go by."""

    floors: Floors = Floors()
    fragile_floors: Floors = FRAGILE_FLOORS
    horizon_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    """The guard warns where memory falls so fast that the stop floor is nearer than this."""
    real_fall_gib_s: Gib = 0.6
    """A slower fall is no reason to warn before the warn floor: serving swings by a GiB within seconds."""
    clear_above_gib: Gib = 4.0
    clear_s: Annotated[float, Field(gt=0, le=8)] = 3.0
    """A warning is over when the node has had so much more than its floors for so long."""
    host_gib: Gib = 3.0
    """What an engine takes of its node beside the GPU's part: Python, pinned buffers, CUDA's own."""
    margin_gib: Gib = 8.0
    """How far under the predicted remainder a load may go, where the prediction is arithmetic."""
    history_margin_gib: Gib = 4.0
    """The same where the node's own earlier campaigns say what the topology takes."""
    unwatched: Literal["refuse", "allow"] = "refuse"
    """Whether to launch on a node where the guard cannot be armed."""
    after_guard_stop: Literal["next", "end"] = "next"
    """Whether the race goes on with the next topology after the guard has ended one."""


class Profile(Frozen):
    """One race: nodes, model, serving, topologies, workload, floors."""

    name: Name
    description: str = ""
    nodes: dict[Name, Node] = Field(min_length=1)
    model: Model
    serving: Serving
    topologies: dict[Name, Topology] = Field(min_length=1)
    workload: Workload = Workload()
    memory: Memory = Memory()
    ready_timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 1800.0
    """A topology that does not serve by then has failed to launch."""

    @property
    def simulated(self) -> bool:
        """Whether its figures come from the embedded engine and must never pass for measurements."""
        return self.serving.launcher == "simulated"

    @property
    def launches(self) -> bool:
        """Whether its engines are launched on nodes that can be looked at: neither simulated nor up already."""
        return self.serving.launcher not in ("simulated", "external")

    @property
    def source(self) -> Literal["simulated", "measured"]:
        """What the store calls a campaign of it."""
        return "simulated" if self.simulated else "measured"

    def floors(self, node: str) -> Floors:
        """Return the floors that hold for a node."""
        described = self.nodes[node]
        return described.floors.over(self.memory.fragile_floors if described.fragile else self.memory.floors)
