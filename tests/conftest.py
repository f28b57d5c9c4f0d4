"""What every test shares: the folder of this file on the path, how XLA compiles, and garbage.

Tests compile hundreds of small programs and run each once, so that compiling is most of what they
cost. The older of XLA's two ways to write loops takes half as long, and optimises as much. A module
that is not cut into parts to be compiled side by side takes a tenth less in all. To optimise less
saves nothing: at level 1 of XLA theories take as long, to two in a hundred, and at level 0 networks
take twice as long to train. Matrices are small, and workers have a core each: threads for one
product would only wait for each other.
"""

import gc
import os
import sys
from importlib.metadata import version
from pathlib import Path

if version("jaxlib").startswith("0.10."):  # another version may know no such flag, and would end
    flags = {
        "xla_cpu_use_fusion_emitters": "false",
        "xla_cpu_parallel_codegen_split_count": "1",
        "xla_cpu_multi_thread_eigen": "false",
    }
    told = [f"--{name}={value}" for name, value in flags.items()]
    os.environ["XLA_FLAGS"] = " ".join([os.environ.get("XLA_FLAGS", ""), *told]).strip()
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).parent))


def pytest_collection_finish() -> None:
    """Collect garbage seldom, and leave out what imports made: all of it is walked each time."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)
