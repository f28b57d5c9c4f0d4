"""Time the figures as whole, cold processes, beside what the published notebook takes for them.

    python benchmarks/figures.py

prints a table, and writes benchmarks/figures.md. It takes about four minutes on two cores.
"""

import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PUBLISHED_STEP = 0.06  # seconds, on one core: a step of the published notebook, as measured
EIGHT_PANELS = 6 * 1_500 + 2 * 100_000  # steps of the published figures 2a and 2b
CASES = (  # figures, descent, published steps
    ("2a", "none", EIGHT_PANELS),
    ("2b", "none", EIGHT_PANELS),
    ("5", "none", 6 * 1_500),
    ("all", "none", None),
    ("all", "quick", None),
)
HEADINGS = ("figures", "descent", "seconds", "published steps", "published, hours", "ratio")


def seconds(figures: str, descent: str) -> float:
    """Whole process, its start included."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "eigendyn", "figures", figures, "--out", folder]
        start = time.perf_counter()
        subprocess.run([*command, "--descent", descent, "-q"], check=True)
        return time.perf_counter() - start


def main() -> None:
    """Print the table, and write it with what it was measured with."""
    lines = ["# Figures, whole processes", ""]
    lines += ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    for figures, descent, steps in CASES:
        taken = seconds(figures, descent)
        row = [figures, descent, f"{taken:.1f}", "–", "–", "–"]
        if steps is not None:
            published = steps * PUBLISHED_STEP
            row[3:] = [f"{steps:,}", f"{published / 3600:.2f}", f"{published / taken:,.0f}"]
        lines.append("| " + " | ".join(row) + " |")
        print(lines[-1], flush=True)
    packages = ("jax", "sympy", "matplotlib", "xarray")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    lines += [
        "",
        "The published notebook takes about 60 ms a step on one core with 50,000 samples; its",
        "steps are sampled, those here are their expectation, so that the ratio compares what it",
        "takes to draw the same panels, not the same computation.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, 2 cores {platform.machine()}, {versions}.",
    ]
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
