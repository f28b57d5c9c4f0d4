"""Say when, where and with what a result was made."""

from __future__ import annotations

import json
import platform
import shlex
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("jax", "jaxlib", "diffrax", "numpy", "xarray")


def provenance(device: str, dtype: str) -> dict[str, str]:
    """Say when, where and with what a result was made, in attributes that netCDF can hold."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": _command(*sys.argv),
        "versions": _versions(),
        "device": device,
        "dtype": dtype,
    }


@cache
def _command(first: str, *others: str) -> str:
    program = Path(first)
    name = program.parent.name if program.stem == "__main__" else program.name  # no folders of ours
    return shlex.join([name, *others]).encode(errors="backslashreplace").decode()


@cache
def _versions() -> str:
    versions = {"eigendyn": version("eigendyn"), "python": platform.python_version()}
    return json.dumps(versions | {package: version(package) for package in PACKAGES})
