"""What every test shares: the folder of this file on the path, and how code is compiled.

Tests compile hundreds of small programs and run each once, so that compiling is most of what they
cost. The older of XLA's two ways to write loops takes half as long, and optimises as much. Without
optimising at all it takes half of that again: so the quick tests do, where XLA's code is mostly
what machine code and theory are compared with; with those marked `full` XLA optimises as ever.
"""

import gc
import os
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_configure(config: pytest.Config) -> None:
    """Choose how XLA compiles, before anything loads it."""
    if version("jaxlib").startswith(
        "0.10."
    ):  # another version may know no such flag, and would end
        told = [os.environ.get("XLA_FLAGS", ""), "--xla_cpu_use_fusion_emitters=false"]
        if config.option.markexpr == "not full":
            told.append("--xla_backend_optimization_level=0")
        os.environ["XLA_FLAGS"] = " ".join(told).strip()


def pytest_collection_finish() -> None:
    """Collect garbage seldom, and leave out what imports made: all of it is walked each time."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)
