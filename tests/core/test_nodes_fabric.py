"""What passes between nodes, over a /sys of our own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sparktui.nodes.fabric import DISCOVER_S, SLOWLY_S, Fabric

NET_DEV = "a | b\nenp1s0f0np0: 10 0 0 0 0 0 0 0 20 0 0 0 0 0 0 0\n"


@pytest.fixture
def port(tmp_path: Path) -> Path:
    return make_port(tmp_path, "rocep1s0f0", received=100, sent=7)


def make_port(root: Path, device: str, received: int, sent: int, state: str = "4: ACTIVE") -> Path:
    folder = root / "infiniband" / device / "ports" / "1"
    (folder / "counters").mkdir(parents=True)
    (folder / "hw_counters").mkdir()
    write(folder, state=state, rate="200 Gb/sec (4X HDR)")
    write(folder / "counters", port_rcv_data=received, port_xmit_data=sent, port_rcv_errors=1, port_xmit_discards=2)
    write(folder / "counters", link_downed=4, symbol_error=8)
    write(
        folder / "hw_counters", out_of_sequence=16, packet_seq_err=32, local_ack_timeout_err=64, rnr_nak_retry_err=128
    )
    return folder


def write(folder: Path, **files: object) -> None:
    for name, value in files.items():
        (folder / name).write_text(f"{value}\n")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fabric(root: Path, clock: Clock | None = None) -> Fabric:
    (root / "net").mkdir(exist_ok=True)
    (root / "net" / "dev").write_text(NET_DEV)
    return Fabric(root / "infiniband", root, clock or Clock())


def test_words_become_bytes_and_both_twins_are_summed(tmp_path: Path, port: Path) -> None:
    make_port(tmp_path, "roceP2p1s0f0", received=50, sent=7)
    assert fabric(tmp_path).read() == {
        "rdma_rx_bytes": 600,
        "rdma_tx_bytes": 56,
        "rdma_errors": 2 * 255,
        "rdma_link_gbps": 400.0,
        "net_rx_bytes": 10,
        "net_tx_bytes": 20,
    }


def test_only_an_active_port_has_a_rate(tmp_path: Path, port: Path) -> None:
    make_port(tmp_path, "roceP2p1s0f0", received=0, sent=0, state="1: DOWN")
    assert fabric(tmp_path).read()["rdma_link_gbps"] == 200.0
    write(port, state="1: DOWN")
    assert fabric(tmp_path).read()["rdma_link_gbps"] == 0.0


def test_a_counter_that_is_missing_leaves_the_others(tmp_path: Path, port: Path) -> None:
    (port / "hw_counters" / "rnr_nak_retry_err").unlink()
    (port / "counters" / "port_rcv_data").unlink()
    (port / "rate").write_text("odd\n")
    found = fabric(tmp_path).read()
    assert (found["rdma_rx_bytes"], found["rdma_tx_bytes"], found["rdma_errors"]) == (None, 28, 127)
    assert found["rdma_link_gbps"] is None


def test_bytes_are_of_now_and_errors_of_some_seconds_ago_at_the_most(tmp_path: Path, port: Path) -> None:
    clock = Clock()
    node = fabric(tmp_path, clock)
    node.read()
    write(port / "counters", port_rcv_data=200, port_rcv_errors=1001)
    now = node.read()
    assert (now["rdma_rx_bytes"], now["rdma_errors"]) == (800, 255)
    clock.now = SLOWLY_S
    assert node.read()["rdma_errors"] == 1255


def test_a_port_that_comes_or_goes_is_noticed(tmp_path: Path, port: Path) -> None:
    clock = Clock()
    node = fabric(tmp_path, clock)
    node.read()
    make_port(tmp_path, "roceP2p1s0f0", received=50, sent=0)
    clock.now = DISCOVER_S
    assert node.read()["rdma_rx_bytes"] == 600
    shutil.rmtree(port)
    clock.now = 2 * DISCOVER_S
    assert node.read()["rdma_rx_bytes"] == 200
