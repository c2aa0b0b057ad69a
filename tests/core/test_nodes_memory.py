"""What a node has left, and how hard it is pressed, over a /proc of our own."""

from __future__ import annotations

import os
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sparktui.nodes.kept import KeptFile
from sparktui.nodes.memory import (
    NodeMemory,
    parse_free_blocks,
    parse_load,
    parse_meminfo,
    parse_pressure,
    parse_vmstat,
)
from sparktui.nodes.net import parse_net_dev
from sparktui.nodes.reading import LocalReader, is_pressed
from sparktui.nodes.top import top

GIB = 1024**3
SPARK_TOTAL = 127_600_748 * 1024
PAGE = os.sysconf("SC_PAGE_SIZE")
MEMINFO = "MemTotal: 127600748 kB\nMemFree: 1048576 kB\nMemAvailable: 2097152 kB\nSwapTotal: 1024 kB\nSwapFree: 24 kB\n"


def proc(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def process(folder: Path, pid: int, name: str, anon_kib: int, shmem_kib: int = 0) -> None:
    (folder / str(pid)).mkdir(parents=True)
    status = f"Name:\t{name}\nVmRSS:\t 999999999 kB\nRssAnon:\t{anon_kib} kB\nRssShmem:\t{shmem_kib} kB\n"
    (folder / str(pid) / "status").write_text(status)


def test_meminfo_is_in_bytes() -> None:
    found = parse_meminfo("MemTotal:  127600748 kB\nHugePages_Total:       0\nbroken line\nOdd: x kB\n")
    assert found == {"MemTotal": SPARK_TOTAL, "HugePages_Total": 0}


def test_pressure_is_the_kernels_own_percentage() -> None:
    text = "some avg10=1.53 avg60=0.87 avg300=0.20 total=1\nfull avg10=0.30 avg60=0.1 avg300=0.0 total=2\n"
    assert parse_pressure(text) == (1.53, 0.30)


def test_free_blocks_counts_order_nine_and_above_over_all_zones() -> None:
    text = (
        "Node 0, zone      DMA      1      1      1      1      1      1      1      1      1      2      3\n"
        "Node 0, zone   Normal      9      9      9      9      9      9      9      9      9      4      5\n"
    )
    assert parse_free_blocks(text) == 14


def test_stalls_are_summed_over_zones_and_swap_counts_pages() -> None:
    text = "pswpin 3\npswpout 5\npswpin_other 9\nallocstall_dma 1\nallocstall_normal 20\nallocstall_movable 300\n"
    assert parse_vmstat(text) == (3, 5, 321)


def test_plain_bytes_leave_out_what_never_leaves_the_node() -> None:
    rows = {"lo": 1, "docker0": 2, "veth12ab": 4, "br-9c": 8, "enp1s0f0np0": 16, "wlan0": 32, "lo1": 64}
    text = "Inter-| Receive\n face |bytes packets\n" + "".join(
        f"{name}: {count} 9 0 0 0 0 0 0 {count * 1000} 9 0 0 0 0 0 0\n" for name, count in rows.items()
    )
    assert parse_net_dev(text) == (112, 112_000)


def test_a_whole_node_is_read_from_its_files(tmp_path: Path) -> None:
    pressure = "some avg10=2.50 avg60=0 avg300=0 total=1\nfull avg10=0.00 avg60=0 avg300=0 total=0\n"
    vmstat = "pswpin 2\npswpout 4\nallocstall_normal 6\n"
    memory = NodeMemory(proc(tmp_path, meminfo=MEMINFO, pressure__memory=pressure, vmstat=vmstat, loadavg="0.71 1 2\n"))
    assert memory.left() == {
        "mem_total_bytes": SPARK_TOTAL,
        "mem_available_bytes": 2 * GIB,
        "mem_free_bytes": GIB,
        "swap_used_bytes": 1000 * 1024,
    }
    assert memory.strain() == {
        "psi_some_pct": 2.5,
        "psi_full_pct": 0.0,
        "swap_in_bytes": 2 * PAGE,
        "swap_out_bytes": 4 * PAGE,
        "alloc_stalls": 6,
        "order9_free": None,
        "load1": 0.71,
    }


def test_what_cannot_be_read_is_unknown_and_never_zero(tmp_path: Path) -> None:
    reader = LocalReader(tmp_path, tmp_path / "infiniband")
    fabric = ("rdma_rx_bytes", "rdma_tx_bytes", "rdma_errors", "rdma_link_gbps", "net_rx_bytes", "net_tx_bytes")
    reader.ask()
    found = reader.complete(reader.left(), warn_bytes=GIB)
    assert {found[name] for name in fabric} == {None}
    assert {value for name, value in found.items() if not name.startswith(("gpu_", "nvml_", "unified"))} <= {None} | {
        found[name] for name in ("power_w", "temp_c", "sm_mhz", "throttle", "energy_j")
    }


@given(st.text())
def test_no_text_of_a_kernel_breaks_a_reading(text: str) -> None:
    for parse in (parse_meminfo, parse_pressure, parse_free_blocks, parse_vmstat, parse_load, parse_net_dev):
        parse(text)


def test_a_kept_file_says_what_the_file_says_now_and_comes_back_after_it_was_gone(tmp_path: Path) -> None:
    path = tmp_path / "counter"
    file = KeptFile(path)
    assert file.number() is None
    path.write_text("41\n")
    assert file.number() == 41
    path.write_text("x" * 200_000)
    assert file.text() == "x" * 200_000
    assert file.number() is None


def test_who_holds_most_counts_what_a_process_cannot_give_back_and_shared_gpu_memory(tmp_path: Path) -> None:
    process(tmp_path, 10, "VLLM::EngineCore", 1024 * 1024, shmem_kib=1024 * 1024)
    process(tmp_path, 11, "Xorg", 512 * 1024)
    process(tmp_path, 12, "tiny", 1024)
    process(tmp_path, 13, "od\x1bd", 256 * 1024)
    (tmp_path / "14").mkdir()
    (tmp_path / "meminfo").write_text("")
    assert top({10: 39 * GIB}, tmp_path) == "VLLM::EngineCore 41.0 GiB, Xorg 0.5 GiB, od?d 0.2 GiB"
    assert top({}, tmp_path / "nowhere") == ""


def test_who_holds_most_is_asked_only_while_memory_is_short() -> None:
    enough, short = {"mem_available_bytes": 9 * GIB}, {"mem_available_bytes": 7 * GIB}
    calm, waiting = {"psi_some_pct": 1.0}, {"psi_some_pct": 1.1}
    assert not is_pressed(enough, calm, 8 * GIB)
    assert is_pressed(short, calm, 8 * GIB)
    assert is_pressed(enough, waiting, 8 * GIB)
    assert not is_pressed({"mem_available_bytes": None}, {"psi_some_pct": None}, 8 * GIB)


def test_a_pressed_node_says_who_holds_most(tmp_path: Path) -> None:
    process(tmp_path, 10, "eater", 3 * 1024 * 1024)
    reader = LocalReader(proc(tmp_path, meminfo=MEMINFO), tmp_path / "infiniband")
    deadline = time.monotonic() + 20
    while (found := reader.complete(reader.left(), warn_bytes=3 * GIB))["top"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert found["top"] == "eater 3.0 GiB"
    assert reader.complete(reader.left(), warn_bytes=GIB)["top"] is None
