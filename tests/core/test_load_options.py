from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from sparktui.errors import ProfileError, UsageError
from sparktui.load_options import NAMES, load_options
from sparktui.profile.external import profile_for_url
from sparktui.profile.loader import dump_profile, parse_profile
from sparktui.profile.model import External, Sampling, Workload
from sparktui.profile.narrow import narrowed
from sparktui.serving.key import api_key
from tests.core.good_profile import GOOD


def load(*words: str, over_profile: bool = True) -> tuple[dict[str, Any], str]:
    """Return what the options make of words, and what was said."""
    seen: list[dict[str, Any]] = []

    @click.command()
    @load_options(over_profile=over_profile)
    def command(load: dict[str, Any]) -> None:
        seen.append(load)

    result = CliRunner().invoke(command, words)
    return (seen[0] if seen else {}), result.output


def test_what_is_not_given_is_none_and_changes_nothing() -> None:
    given, _ = load()
    assert given == dict.fromkeys(NAMES)
    profile = parse_profile(GOOD, "good")
    assert narrowed(profile, **given) == profile


def test_every_option_arrives_in_the_workload() -> None:
    words = (
        "--concurrency 1,8 --pp 2048 --tg 32 --depth 4096 --runs 7 --shape pool --turns 9 --api completions --seed 3"
    )
    more = ["--no-exact-tg", "--no-token-ids", "--temperature", "0.7", "--extra-body", "top_k=9", "--extra-body"]
    given, _ = load(*words.split(), "--seed", "3", *more, '{"top_p": 0.5}')
    assert narrowed(parse_profile(GOOD, "good"), **given).workload == Workload(
        concurrency=(1, 8), pp=2048, tg=32, depth=4096, runs=7, shape="pool", pool_turns=9, api="completions", seed=3,
        timeout_s=60.0,
        sampling=Sampling(
            exact_tg=False, token_ids=False, temperature=0.7,
            extra_body={"top_k": 9, "chat_template_kwargs": {"enable_thinking": False}, "top_p": 0.5},
        ),
    )  # fmt: skip


def test_the_defaults_named_in_the_help_are_those_of_a_bench() -> None:
    _, help_text = load("--help", over_profile=False)
    fresh = Workload()
    for default in (fresh.pp, fresh.tg, fresh.depth, fresh.runs, fresh.shape, fresh.pool_turns, fresh.api):
        assert f"[default: {default}]" in " ".join(help_text.split())


@pytest.mark.parametrize("words", ["top_k", "=1", "[1]", "top_k=NaN", "top_k=", "{", "text=plain"])
def test_what_is_no_json_is_refused_with_an_example(words: str) -> None:
    given, said = load("--extra-body", words)
    assert not given
    assert "KEY=" in said


@pytest.mark.parametrize("key", ["max_tokens", "stream", "return_token_ids", "temperature", "ignore_eos"])
def test_keys_that_have_options_of_their_own_are_refused(key: str) -> None:
    with pytest.raises(ProfileError) as caught:
        profile_for_url("http://127.0.0.1:1", "m", extra_body={key: 1})
    assert f"expected no {key}" in caught.value.problems[0]


def test_turns_without_a_pool_are_said_to_mean_nothing() -> None:
    with pytest.raises(UsageError, match="turns are of slots in a pool"):
        profile_for_url("http://127.0.0.1:1", "m", pool_turns=4)


class TestKeyFile:
    """A key in a file."""

    def test_it_is_read_when_needed_and_stripped(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("sk-secret\n")
        assert api_key(None, str(tmp_path / "key")) == "sk-secret"

    def test_the_profile_holds_its_path_and_never_what_it_holds(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        file.write_text("sk-secret")
        profile = profile_for_url("http://127.0.0.1:1", "m", api_key_file=str(file))
        assert isinstance(profile.serving, External)
        assert profile.serving.api_key_file == str(file)
        assert "sk-secret" not in dump_profile(profile)

    @pytest.mark.parametrize("held", [b"", b"two words", b"\xff\xfe", b"x" * 20_000, b"a\nb"])
    def test_what_holds_no_key_is_said_without_repeating_it(self, tmp_path: Path, held: bytes) -> None:
        (tmp_path / "key").write_bytes(held)
        with pytest.raises(UsageError) as caught:
            api_key(None, str(tmp_path / "key"))
        assert caught.value.message == f"{tmp_path / 'key'} holds no API key"

    def test_a_file_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot be read: No such file"):
            api_key(None, str(tmp_path / "key"))

    @pytest.mark.timeout(30)
    def test_a_pipe_is_refused_and_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "key")
        with pytest.raises(UsageError, match="is not a regular file"):
            api_key(None, str(tmp_path / "key"))

    def test_two_places_for_one_key_are_refused(self) -> None:
        with pytest.raises(ProfileError) as caught:
            profile_for_url("http://127.0.0.1:1", "m", api_key_env="KEY", api_key_file="/key")
        assert "api_key_env or api_key_file, not both" in caught.value.problems[0]
