"""Claims about start-up: nothing heavy is imported before it is needed."""

import shlex
import subprocess
import sys

HEAVY = {
    "jax",
    "sympy",
    "diffrax",
    "scipy",
    "matplotlib",
    "xarray",
    "numpy",
    "tqdm",
    "zarr",
    "dask",
}
PROBE = """
import shlex, sys
from eigendyn.cli.main import cli
for line in sys.argv[1:]:
    try:
        cli(shlex.split(line), prog_name="eigendyn")
    except SystemExit as end:
        loaded = " ".join(sorted({name.partition(".")[0] for name in sys.modules}))
        print("LOADED", end.code, loaded, file=sys.stderr)
"""
CODES = {
    "-h": 0,
    "--version": 0,
    "simulate -h": 0,
    "derive --help": 0,
    "losses -h": 0,
    "train -h": 0,
    "sweep -h": 0,
    "simulate --loss cosin": 2,
    "simulate --method floww": 2,
    "simulate --alpha 0": 2,
    "simulate --variances 1 --modes 3 --inputs 5": 2,
    "derive cosin": 2,
    "train --loss cosin": 2,
    "sweep --loss euclidean,cosin": 2,
    "sweep --weight-decay 0.3:0:5": 2,
    "train --alpha 0": 2,
    "simulat": 2,
}


def test_help_and_refusals_import_nothing_heavy():
    """One after the other in one process: what one loads, all later ones show as well."""
    command = [sys.executable, "-c", PROBE, *CODES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("LOADED")]
    for (asked, code), line in zip(CODES.items(), lines, strict=True):
        _, ended, *loaded = shlex.split(line)
        assert int(ended or 0) == code, asked
        assert "click" in loaded
        assert not set(loaded) & HEAVY, asked


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "eigendyn", "simulate", "--loss", "cosin"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert "'cosine'" in done.stderr
