"""A topology as ordered steps: pure data, so that what `--dry-run` prints is what is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """One command on one node."""

    node: str
    title: str
    """What it brings up, in words: `engine on gf2`, `rank 1 on gf1`, `router`."""
    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    """Added to the node's own environment."""
    secret_env: tuple[str, ...] = ()
    """Names of variables that must be set too, from the runner's own environment: never in argv, logs or the store."""
    files: dict[str, str] = field(default_factory=dict)
    """Files that must be there first, path to text: on another node a path is relative to the login folder."""
    cwd: str | None = None
    serves: bool = False
    """An engine that answers requests: its log is what the engine says of itself."""
    background: bool = True
    """True: the process stays up and is ours to watch and stop. False: it ends, leaving something running."""
    undo: tuple[str, ...] = ()
    """What removes it on that node; empty: its process group is ended."""
    logs: tuple[str, ...] = ()
    """What prints its log's tail on that node; empty: the log file kept by the runner."""
    container: str | None = None
    """The container of its topology on that node, by name: free before the launch, gone after the stop."""
    starts_container: bool = False
    """Whether that container is up once this step has ended."""
    alive: tuple[str, ...] = ()
    """What ends with 0 on that node as long as what serves there is up; empty: its process, or its container, is."""
    timeout_s: float = 900.0
    """For a step that ends: by when."""
    hint: str = ""
    """What to do where it fails."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One serving engine."""

    node: str
    url: str
    """`http://address:port`, no path."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that has to be typed for one topology, in order; undone in reverse."""

    topology: str
    model: str
    """What requests ask for."""
    url: str
    """Where requests go: the engine, or the router in front of the engines."""
    backends: tuple[Backend, ...]
    steps: tuple[Step, ...] = ()
    api_key_env: str | None = None
    """The environment variable that holds the key for `url`, where one is needed."""
    api_key_file: str | None = None
    """The file that holds it, where it is not a variable."""
    routed: bool = False
    """Whether a LiteLLM proxy of ours stands at `url`."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Port numbers that the profile does not choose."""

    engines: Mapping[str, int] = field(default_factory=dict)
    """By node; they win over the profile's."""
    router: int | None = None
