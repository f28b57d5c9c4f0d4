"""Describe on which processor, with which versions and when something was measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
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
