"""Time things in turns, and describe on which processor, with what and when."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def described(packages: Iterable[str]) -> str:
    """One sentence: date, processor, cores, load at the end, versions."""
    load = f", load {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    found = [f"{name} {of}" for name in packages if (of := _version(name))]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {processor()}, {os.cpu_count()} cores{load}; "
        f"Python {platform.python_version()}, {', '.join(found)}."
    )


def fastest(runs: list[Callable[[], object]], rounds: int) -> list[float]:
    """Seconds of processor time of each, in turns, after a warm-up."""
    for run in runs:
        run()
    best = [float("inf")] * len(runs)
    for _ in range(rounds):
        for i, run in enumerate(runs):
            start = time.process_time()
            run()
            best[i] = min(best[i], time.process_time() - start)
    return best


def processor() -> str:
    """Model of the processor, with its widest vectors."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.machine()
    pairs = [line.split(":", 1) for line in info.read_text("utf-8").splitlines() if ":" in line]
    facts = {key.strip(): value.strip() for key, value in pairs}
    flags = facts.get("flags", "").split()
    widest = next((f for f in ("avx512f", "avx2", "avx") if f in flags), platform.machine())
    family = f"family {facts.get('cpu family')} model {facts.get('model')}"
    return f"{facts.get('model name', platform.machine())} ({family}, {widest})"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
