"""What looks like a secret is refused wherever a profile has it, and is not repeated; what only sounds so is taken."""

from __future__ import annotations

import pytest
import yaml

from sparktui.errors import ProfileError
from sparktui.profile.loader import parse_profile
from tests.core.good_profile import GOOD

SECRET = "sesame-7f3a"
ALL_FORMS = f"hf_{'a1B2' * 8}"


def profile(place: str, value: object) -> str:
    """Return a good profile with a value at a place."""
    data = yaml.safe_load(GOOD)
    *above, last = place.split(".")
    holder = data
    for key in above:
        holder = holder.setdefault(key, {})
    holder[last] = value
    return str(yaml.safe_dump(data, sort_keys=False))


def with_serving(**serving: object) -> str:
    data = yaml.safe_load(GOOD)
    data["topologies"] = {"solo": {"kind": "solo", "nodes": ["gf2"]}}
    data["serving"] = serving
    return str(yaml.safe_dump(data, sort_keys=False))


def told(text: str) -> str:
    with pytest.raises(ProfileError) as caught:
        parse_profile(text, "x.yaml")
    said = f"{caught.value.message}\n{caught.value.hint}\n" + "\n".join(caught.value.problems)
    assert SECRET not in said
    assert ALL_FORMS not in said
    return said


WORDS = (
    ["--api-key", SECRET],
    [f"--api-key={SECRET}"],
    ["--port", "1", "--hf-token", SECRET],
    ["-e", f"OPENAI_KEY={SECRET}"],
    [f"--env=HF_TOKEN={SECRET}"],
    ["--verbose", f"postgres://me:{SECRET}@db/x"],
    ["--anything", ALL_FORMS],
)


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words[0][:12])
def test_a_secret_among_the_words_of_any_launcher_is_refused(words: list[str]) -> None:
    recipe = {"launcher": "recipe", "recipe": "r", "image": "i"}
    for serving in (
        {"launcher": "vllm", "extra_args": words},
        {**recipe, "extra_args": words},
        {"launcher": "docker", "image": "i", "argv": ["serve", *words]},
        {"launcher": "command", "argv": ["serve", *words]},
    ):
        assert "a profile is stored, exported and printed" in told(with_serving(**serving))


def test_a_secret_in_a_shells_text_is_refused_by_its_name() -> None:
    words = ["bash", "-c", f"export HF_TOKEN={SECRET}; vllm serve --api-key {SECRET}"]
    assert "serving.argv.2: expected no secret with HF_TOKEN" in told(with_serving(launcher="command", argv=words))


@pytest.mark.parametrize(
    "name", ["OPENAI_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "WANDB_API_KEY", "HF_TOKEN", "DB_PASSWORD"]
)
def test_a_variable_that_is_named_like_a_secret_is_refused(name: str) -> None:
    assert f"expected no {name}" in told(profile("serving.env", {name: SECRET}))


@pytest.mark.parametrize(
    "body", [{"api_key": SECRET}, {"a": {"apiKey": SECRET}}, {"extra": [{"Authorization": SECRET}]}]
)
def test_a_secret_in_a_requests_body_is_refused(body: object) -> None:
    assert "expected no secret" in told(profile("workload.sampling.extra_body", body))


def test_a_password_in_any_address_is_refused() -> None:
    address = f"http://me:{SECRET}@proxy:3128"
    assert "no password in an address" in told(profile("serving.env", {"HTTPS_PROXY": address}))
    assert "no password in the address" in told(with_serving(launcher="external", url=f"http://me:{SECRET}@h:1"))


def test_what_only_sounds_like_a_secret_is_taken() -> None:
    words = [
        "--eos-token",
        "</s>",
        "--ssl-keyfile",
        "/k",
        "--api-key-file",
        "/f",
        "--tokenizer",
        "t",
        "--api-key",
        "--x",
    ]
    env = {
        "TOKENIZERS_PARALLELISM": "1",
        "NCCL_IB_PKEY": "7",
        "SSH_PUBLIC_KEY": "k",
        "HF_TOKEN_PATH": "/t",
        "U": "a://u@h",
    }
    body = {"stop_token_ids": [1], "min_tokens_": 1, "key_words": "a"}
    for text in (
        profile("serving.extra_args", words),
        profile("serving.env", env),
        profile("workload.sampling.extra_body", body),
    ):
        parse_profile(text, "x.yaml")
