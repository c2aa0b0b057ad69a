"""One real `transformers serve`: no /metrics, no /tokenize, refuses request keys it does not know, and says how many
tokens there were on the chunk with the finish reason.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .environment import Environment
from .server_process import free_port, serving

MODEL = "sparktui/tiny"
_REVISION = "0" * 40


@contextmanager
def running_transformers(environment: Environment, folder: Path) -> Iterator[str]:
    """Serve the tiny model on the CPU; yield the URL."""
    hub = folder / "hub"
    _cache_model(environment.model, hub)
    port = free_port()
    argv = [
        str(environment.transformers),
        "serve",
        "--device",
        "cpu",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        MODEL,
    ]
    env = {"HF_HUB_CACHE": str(hub), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(environment.accelerate)}
    with serving(argv, env | {"OMP_NUM_THREADS": "1"}, port, folder / "transformers.log") as url:
        yield url


def _cache_model(model: Path, hub: Path) -> None:
    """Put a model where downloads are kept: it lists no other."""
    repository = hub / f"models--{MODEL.replace('/', '--')}"
    shutil.copytree(model, repository / "snapshots" / _REVISION)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(_REVISION)
