"""What a set of processes used: CPU seconds with their children, and peak resident memory."""

from __future__ import annotations

from collections.abc import Mapping

import psutil


def cpu_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """Name → user and system seconds so far of the process, its living descendants and those already ended."""
    used = {}
    for name, pid in roots.items():
        total = 0.0
        for process in _tree(pid):
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system
            # Ended children count with their parent; of a living child only its own time is taken above.
            total += times.children_user + times.children_system
        used[name] = total
    return used


def memory_bytes(roots: Mapping[str, int]) -> dict[str, int]:
    """Name → resident bytes now of the process alone (PostgreSQL's children share memory, so a sum would mislead)."""
    found = {}
    for name, pid in roots.items():
        try:
            found[name] = psutil.Process(pid).memory_info().rss
        except psutil.Error:
            found[name] = 0
    return found


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []
