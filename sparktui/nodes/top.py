"""Who holds most of a node's memory: looked at only while it is short, since every process is asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from sparktui.nodes.kept import read_once
from sparktui.nodes.memory import KIB, PROC

MOST = 5
GIB = 1024**3
LEAST_BYTES = GIB // 10
"""Less is no answer to where the memory went."""
HOLDS = ("RssAnon:", "RssShmem:")
"""What a process cannot give back. Memory that several share counts with each of them."""


def top(gpu_bytes: Mapping[int, int], proc: Path = PROC) -> str:
    """Return `vllm 41.2 GiB, Xorg 0.3 GiB`; `gpu_bytes` is what each process holds on a GPU that shares the memory.

    Only `status` is read: a process's command line and environment cannot be read while it waits for memory.
    """
    held = []
    for pid in pids(proc):
        name, resident = _held(f"{proc}/{pid}/status")
        held.append((resident + gpu_bytes.get(pid, 0), name))
    most = sorted((entry for entry in held if entry[0] >= LEAST_BYTES), reverse=True)[:MOST]
    return ", ".join(f"{name} {size / GIB:.1f} GiB" for size, name in most)


def pids(proc: Path = PROC) -> list[int]:
    """Return the processes there are; none where they cannot be listed."""
    try:
        return [int(name) for name in os.listdir(proc) if name.isdecimal()]
    except OSError:
        return []


def _held(status: str) -> tuple[str, int]:
    lines = read_once(status).decode("utf-8", "replace").split("\n")
    name = lines[0].partition(":")[2].strip()
    resident = sum(_kib(line) for line in lines if line.startswith(HOLDS))
    return "".join(letter if letter.isprintable() else "?" for letter in name), resident * KIB


def _kib(line: str) -> int:
    size = line.split()[1:2]
    return int(size[0]) if size and size[0].isdecimal() else 0
