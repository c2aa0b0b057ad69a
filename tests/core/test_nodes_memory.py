from __future__ import annotations

from pathlib import Path

from sparktui.nodes.fabric import rdma_bytes
from sparktui.nodes.gpu import GpuReading
from sparktui.nodes.memory import free_blocks, meminfo, pressure

GIB = 1024**3
SPARK_TOTAL = 127_600_748 * 1024


def proc(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_meminfo_is_in_bytes(tmp_path: Path) -> None:
    found = meminfo(proc(tmp_path, meminfo="MemTotal:  127600748 kB\nHugePages_Total:       0\nbroken line\n"))
    assert found == {"MemTotal": SPARK_TOTAL, "HugePages_Total": 0}


def test_pressure_is_the_kernels_own_percentage(tmp_path: Path) -> None:
    text = "some avg10=1.53 avg60=0.87 avg300=0.20 total=1\nfull avg10=0.30 avg60=0.1 avg300=0.0 total=2\n"
    assert pressure(proc(tmp_path, pressure__memory=text)) == (1.53, 0.30)


def test_free_blocks_counts_order_nine_and_above_over_all_zones(tmp_path: Path) -> None:
    text = (
        "Node 0, zone      DMA      1      1      1      1      1      1      1      1      1      2      3\n"
        "Node 0, zone   Normal      9      9      9      9      9      9      9      9      9      4      5\n"
    )
    assert free_blocks(proc=proc(tmp_path, buddyinfo=text)) == 14


def test_what_cannot_be_read_is_unknown_and_never_zero(tmp_path: Path) -> None:
    assert meminfo(tmp_path) == {}
    assert pressure(tmp_path) == (None, None)
    assert free_blocks(proc=tmp_path) is None
    assert rdma_bytes(tmp_path) == (None, None)


def test_rdma_words_become_bytes_summed_over_both_twins(tmp_path: Path) -> None:
    for device, words in (("rocep1s0f0", 100), ("roceP2p1s0f0", 50)):
        counters = tmp_path / device / "ports" / "1" / "counters"
        counters.mkdir(parents=True)
        (counters / "port_rcv_data").write_text(f"{words}\n")
        (counters / "port_xmit_data").write_text("7\n")
    assert rdma_bytes(tmp_path) == (600, 56)


def test_unified_memory_is_told_by_a_missing_or_node_sized_total() -> None:
    assert GpuReading(nvml_ms=1).unified(SPARK_TOTAL) is True
    assert GpuReading(total_bytes=0, nvml_ms=1).unified(SPARK_TOTAL) is True
    assert GpuReading(total_bytes=int(SPARK_TOTAL * 0.98), nvml_ms=1).unified(SPARK_TOTAL) is True
    assert GpuReading(total_bytes=80 * GIB, nvml_ms=1).unified(SPARK_TOTAL) is False
    assert GpuReading().unified(SPARK_TOTAL) is None
