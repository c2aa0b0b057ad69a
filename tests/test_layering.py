from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sparktui"
SCREEN_LIBRARIES = ("textual", "rich")
CORE = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if "ui" not in path.relative_to(PACKAGE).parts and path.name != "__main__.py"
)


def modules_of(modules: list[str]) -> set[str]:
    code = "import importlib, sys\nfor m in sys.argv[1:]: importlib.import_module(m)\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *modules], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def loaded_by(modules: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules_of(modules)}


def test_the_core_imports_nothing_of_the_screen() -> None:
    # httpx loads rich for its own command line, wherever rich is installed.
    assert "textual" not in loaded_by(CORE)


def test_no_line_of_the_core_names_the_screens_libraries() -> None:
    pattern = re.compile(rf"^\s*(import|from) ({'|'.join(SCREEN_LIBRARIES)})\b", re.MULTILINE)
    core = [path for path in PACKAGE.rglob("*.py") if "ui" not in path.relative_to(PACKAGE).parts]
    assert [str(path) for path in core if pattern.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("module", ["sparktui.cli", "sparktui.load.worker", "sparktui.nodes.agent"])
def test_what_must_start_fast_loads_nothing_heavy(module: str) -> None:
    assert not loaded_by([module]) & {*SCREEN_LIBRARIES, "scipy", "httpx", "pydantic", "starlette", "uvicorn"}


NOT_ON_THE_FIRST_SCREEN = ("compare", "profile", "serving", "doctor", "importing", "recorder", "watching")


def test_the_first_screen_loads_only_what_it_draws() -> None:
    loaded = modules_of(["sparktui.cli", "sparktui.viewing", "sparktui.ui.app", "sparktui.ui.launch"])
    assert not loaded & {"pydantic", "yaml", "httpx", "scipy", "sqlite3", "psutil"}
    packages = {name.split(".")[1] for name in loaded if name.startswith("sparktui.")}
    assert not packages & set(NOT_ON_THE_FIRST_SCREEN)
    assert not loaded & {"sparktui.ui.live", "sparktui.ui.campaign_feed", "sparktui.foresight", "sparktui.store.reader"}


def test_a_list_of_campaigns_loads_nothing_that_reads_profiles_or_draws() -> None:
    assert not loaded_by(["sparktui.listing"]) & {*SCREEN_LIBRARIES, "pydantic", "yaml", "httpx", "scipy", "asyncio"}
