"""What the nodes have in place of vLLM and LiteLLM: programs that take their words and start the embedded ones."""

from __future__ import annotations

import sys
from pathlib import Path

VLLM, LITELLM = "bin/vllm", "bin/litellm"
PORT, ROUTER_PORT = 8107, 4107
SAYS_ITS_VERSION = "lib/python3/site-packages/litellm-1.84.0.dist-info"
"""The router's version is read from what pip leaves beside it."""
HEAD = f"""#!{sys.executable}
import os, sys
given = sys.argv[1:]
value = lambda name: given[given.index(name) + 1]
where = ["--host", value("--host"), "--port", value("--port")]
start = lambda module, *words: os.execv({sys.executable!r}, [{sys.executable!r}, "-m", module, *where, *words])
"""
VLLM_TEXT = """\
words = ["--topology", "solo", "--node", "gf", "--model", given[1], "--load-seconds", "0.05"]
start("sparktui.sim.engine", *words, "--state-dir", {state!r})
"""
LITELLM_TEXT = """\
import yaml
with open(value("--config")) as file:
    listed = yaml.safe_load(file)["model_list"]
backends = [f"{each['model_info']['id']}={each['litellm_params']['api_base'].removesuffix('/v1')}" for each in listed]
words = [word for backend in backends for word in ("--backend", backend)]
start("sparktui.sim.router", "--model", listed[0]["model_name"], *words)
"""


def install(folder: Path) -> None:
    """Put both programs into a folder, where the embedded engine keeps its state too."""
    (folder / "bin").mkdir(parents=True)
    (folder / SAYS_ITS_VERSION).mkdir(parents=True)
    texts = {VLLM: VLLM_TEXT.format(state=str(folder / "state")), LITELLM: LITELLM_TEXT}
    for name, text in texts.items():
        (folder / name).write_text(HEAD + text)
        (folder / name).chmod(0o755)
