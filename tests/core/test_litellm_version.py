from __future__ import annotations

from pathlib import Path

import pytest

from sparktui.errors import LaunchError
from sparktui.serving.host import Host
from sparktui.serving.litellm import KEY_ENV
from sparktui.serving.litellm_version import refuse_unsafe
from sparktui.serving.local import LocalHost
from sparktui.serving.plan import Plan, Step


def environment(folder: Path, *versions: str) -> Path:
    """Make what pip leaves of LiteLLM, with a program that notes that it was run."""
    program = folder / "env" / "bin" / "litellm"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\ntouch {folder}/was-run\n")
    program.chmod(0o755)
    for version in versions:
        (folder / "env" / "lib" / "python3.11" / "site-packages" / f"litellm-{version}.dist-info").mkdir(parents=True)
    link = folder / "litellm"
    link.symlink_to(program)
    return link


async def look(program: Path | str) -> None:
    step = Step("here", "router on here", (str(program), "--config", "x"), secret_env=(KEY_ENV,))
    hosts: dict[str, Host] = {"here": LocalHost()}
    await refuse_unsafe(Plan("shuffle", "m", "http://127.0.0.1:1", (), (step,)), hosts)


@pytest.mark.parametrize("version", ["1.84.0", "1.106.2", "2.0.0rc1"])
async def test_a_safe_release_passes_and_is_not_run_to_find_out(tmp_path: Path, version: str) -> None:
    await look(environment(tmp_path, version))
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize(
    ("version", "told"),
    [("1.82.7", "stolen"), ("1.82.8", "stolen"), ("1.82.6", "past its key"), ("1.83.10", "past its key")],
)
async def test_unsafe_releases_are_refused_by_name_and_never_run(tmp_path: Path, version: str, told: str) -> None:
    with pytest.raises(LaunchError, match=told) as refused:
        await look(environment(tmp_path, version))
    assert version in refused.value.message
    assert "uv tool install" in refused.value.hint
    assert not (tmp_path / "was-run").exists()


async def test_a_release_that_cannot_be_told_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="cannot tell"):
        await look(environment(tmp_path))


async def test_no_litellm_says_how_to_install_it() -> None:
    with pytest.raises(LaunchError, match="is not there") as refused:
        await look("no-such-litellm")
    assert "uv tool install" in refused.value.hint
