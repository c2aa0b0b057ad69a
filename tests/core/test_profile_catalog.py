"""Profiles by name or path, the ones that ship, and the ones made in code."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparktui.errors import ExitCode, ProfileError, UsageError
from sparktui.profile.catalog import find_profile, list_profiles, shipped_folder
from sparktui.profile.external import profile_for_url
from sparktui.profile.loader import load_profile
from sparktui.profile.model import External, Recipe, Simulated
from sparktui.profile.named import profile_named
from sparktui.profile.narrow import narrowed
from tests.core.good_profile import GOOD


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    (tmp_path / "profiles").mkdir()
    return tmp_path / "profiles"


def test_the_shipped_profiles_are_listed_with_their_opening_comment(home: Path) -> None:
    assert {entry.name for entry in list_profiles()} == {"demo", "gemma4-26b-a4b", "two-vllm"}
    for entry in list_profiles():
        assert len(entry.summary) > 20
        assert load_profile(entry.path).name == entry.name


def test_a_name_finds_a_shipped_profile(home: Path) -> None:
    assert find_profile("demo") == shipped_folder() / "demo.yaml"


def test_the_owners_own_profile_is_found_by_name_and_hides_a_shipped_one(home: Path) -> None:
    (home / "mine.yml").write_text("# what I \x1b[31mserve\nname: mine\n")
    (home / "demo.yaml").write_text("name: demo\n")
    assert find_profile("mine") == home / "mine.yml"
    assert find_profile("demo") == home / "demo.yaml"
    summaries = {entry.name: entry.summary for entry in list_profiles()}
    assert (summaries["mine"], summaries["demo"]) == ("what I ?[31mserve", "")


@pytest.mark.parametrize("path", ["./demo", "mine.yaml", "folder/mine.yml", "/etc/x"])
def test_what_has_a_slash_or_a_suffix_is_a_path(path: str, home: Path) -> None:
    assert find_profile(path) == Path(path)


def test_an_unknown_name_names_near_ones_and_all(home: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_profile("gemma4-26b")
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.message == "there is no profile named 'gemma4-26b'"
    assert caught.value.hint.startswith("did you mean gemma4-26b-a4b? known: demo, gemma4-26b-a4b, two-vllm")


def test_the_published_profile_says_what_was_published(home: Path) -> None:
    profile = load_profile(find_profile("gemma4-26b-a4b"))
    assert isinstance(profile.serving, Recipe)
    assert (profile.serving.image, profile.serving.gpu_memory_utilization) == ("vllm-node-20260405", 0.70)
    assert profile.serving.env == {"GLOO_SOCKET_IFNAME": "enp1s0f0np0"}
    load = profile.workload
    assert (load.pp, load.tg, load.runs, load.warmup_waves) == (1024, 128, 50, 0)
    assert load.concurrency == (1, 2, 4, 8, 16, 32, 64)
    assert [name for name, node in profile.nodes.items() if node.fragile] == ["gf1"]
    described = {
        name: (topology.kind, topology.nodes, topology.distributed, topology.max_model_len)
        for name, topology in profile.topologies.items()
    }
    assert described == {
        "solo": ("solo", ("gf2",), "torch", 131072),
        "cluster-tp2": ("cluster", ("gf2", "gf1"), "torch", 262144),
        "cluster-tp2-ray": ("cluster", ("gf2", "gf1"), "ray", 262144),
        "shuffle": ("replicas", ("gf1", "gf2"), "torch", 131072),
    }


def test_the_demo_is_the_published_race_simulated(home: Path) -> None:
    demo, published = (load_profile(find_profile(name)) for name in ("demo", "gemma4-26b-a4b"))
    assert demo.simulated
    assert isinstance(demo.serving, Simulated)
    assert "SIMULATED" in demo.description
    assert demo.workload.concurrency == published.workload.concurrency
    assert demo.workload.runs >= 2
    for name, topology in published.topologies.items():
        assert demo.topologies[name].nodes == topology.nodes
        assert demo.topologies[name].kind == topology.kind


def test_a_server_that_is_up_makes_a_profile_of_one_topology() -> None:
    profile = profile_for_url(
        "http://10.0.0.1:8000/v1", "org/model", concurrency=(1, 2), pp=256, runs=None, exact_tg=False
    )
    assert profile.serving == External(launcher="external", url="http://10.0.0.1:8000/v1")
    assert list(profile.topologies) == ["server"]
    assert (profile.workload.pp, profile.workload.tg, profile.workload.runs) == (256, 128, 3)
    assert not profile.workload.sampling.exact_tg


def test_a_server_that_cannot_be_measured_is_told_like_a_profile() -> None:
    with pytest.raises(ProfileError) as caught:
        profile_for_url("10.0.0.1", "", concurrency=[2, 2], pp=0, exakt=True)
    assert caught.value.problems == (
        "bench: model.id: expected text, not empty and not beginning with '-', got ''",
        "bench: serving.url: expected an address such as http://127.0.0.1:8000",
        "bench: workload.concurrency: expected rising levels without repeats, such as [1, 2, 4, 8], got [2, 2]",
        "bench: workload.exakt: unknown key; expected one of pp, tg, depth, concurrency, runs, precision, min_runs, "
        "until, warmup_waves, shape, pool_turns, api, seed, timeout_s, sampling",
        "bench: workload.pp: expected an integer from 1 to 10000000, got 0",
    )


@pytest.mark.parametrize("host", ["xn--.de", "xn--a", "spärk", "gf1..local", "a" * 64])
def test_a_server_whose_name_cannot_be_asked_is_refused_where_it_is_written(host: str) -> None:
    with pytest.raises(ProfileError) as caught:
        profile_for_url(f"http://{host}:8000", "m")
    assert caught.value.problems == ("bench: serving.url: expected an address such as http://127.0.0.1:8000",)
    assert profile_for_url("http://xn--sprk-moa:8000", "m")


def test_a_race_is_narrowed_to_topologies_levels_and_runs(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    profile = load_profile(tmp_path / "good.yaml")
    less = narrowed(profile, only=["pair"], concurrency=[8, 16], runs=1)
    assert list(less.topologies) == ["pair"]
    assert (less.workload.concurrency, less.workload.runs) == ((8, 16), 1)
    assert narrowed(profile, only=["pair", "solo"]) == profile
    assert narrowed(profile) == profile


def test_narrowing_to_what_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    profile = load_profile(tmp_path / "good.yaml")
    with pytest.raises(UsageError) as caught:
        narrowed(profile, only=["sola"])
    assert (caught.value.message, caught.value.hint) == (
        "profile two has no topology 'sola'",
        "did you mean solo? known: solo, pair",
    )
    with pytest.raises(UsageError):
        narrowed(profile, only=[])
    with pytest.raises(ProfileError):
        narrowed(profile, concurrency=[4, 2])


def test_a_copy_that_kept_the_name_of_a_profile_that_ships_is_called_by_its_files_name(
    home: Path, tmp_path: Path
) -> None:
    text = (shipped_folder() / "two-vllm.yaml").read_text()
    elsewhere = tmp_path / "mine.yaml"
    for path in (elsewhere, home / "ours.yaml", tmp_path / "No Name.yaml"):
        path.write_text(text)
    assert profile_named(str(elsewhere)).name == "mine"
    assert profile_named("ours").name == "ours"
    assert profile_named(str(tmp_path / "No Name.yaml")).name == "two-vllm"
    assert profile_named("two-vllm").name == "two-vllm"
    elsewhere.write_text(text.replace("name: two-vllm", "name: my-race"))
    assert profile_named(str(elsewhere)).name == "my-race"
