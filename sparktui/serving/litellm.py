"""LiteLLM's proxy in front of replicas: its config and its command, as data."""

from __future__ import annotations

from pathlib import Path

import yaml

from sparktui.profile.model import Router
from sparktui.serving.layout import HERE, LOOPBACK, Layout, url_of
from sparktui.serving.plan import Backend, Plan, Step

KEY_ENV = "LITELLM_MASTER_KEY"
"""Set by the runner to a key it makes up for each launch; LiteLLM wants it to begin with `sk-`."""
ENV = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
"""It fetches nothing from the internet and reports nothing."""


def routed(layout: Layout, backends: tuple[Backend, ...], steps: tuple[Step, ...], state_dir: Path) -> Plan:
    """Return the plan of replicas with the proxy in front of them."""
    router = layout.topology.router or Router()
    node = router.node or layout.head
    here = layout.profile.nodes[node].host in HERE
    port = layout.ports.router or router.port
    file = str(state_dir / config_name(layout)) if here else f".cache/sparktui/{config_name(layout)}"
    host = LOOPBACK if here else layout.listen_on(node)
    step = Step(
        node,
        f"router on {node}",
        (router.executable, "--config", file, "--host", host, "--port", str(port)),
        env=dict(ENV),
        secret_env=(KEY_ENV,),
        files={file: config(layout.profile.model.id, backends)},
    )
    url = url_of(LOOPBACK if here else layout.address(node), port)
    return Plan(layout.name, layout.profile.model.id, url, backends, (*steps, step), KEY_ENV, routed=True)


def config_name(layout: Layout) -> str:
    """Return the config's file name, one for each topology of a profile."""
    return f"litellm-{layout.profile.name}-{layout.name}.yaml"


def config(model: str, backends: tuple[Backend, ...]) -> str:
    """Return LiteLLM's config: each request to one backend at random, none asked twice, its id in the response."""
    entries = [
        {
            "model_name": model,
            "litellm_params": {"model": f"hosted_vllm/{model}", "api_base": f"{backend.url}/v1", "api_key": "none"},
            "model_info": {"id": backend.node},
        }
        for backend in backends
    ]
    content = {
        "model_list": entries,
        "router_settings": {"routing_strategy": "simple-shuffle", "num_retries": 0},
        "litellm_settings": {"telemetry": False, "num_retries": 0},
        "general_settings": {"master_key": f"os.environ/{KEY_ENV}"},
    }
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
