"""Claims about start-up: nothing heavy is imported before it is needed."""

import subprocess
import sys

import pytest

HEAVY = {"jax", "sympy", "diffrax", "scipy", "matplotlib", "xarray", "numpy", "tqdm"}
PROBE = """
import sys
from eigendyn.cli.main import cli
try:
    cli(sys.argv[1:], prog_name="eigendyn")
except SystemExit as end:
    loaded = " ".join(sorted({name.partition(".")[0] for name in sys.modules}))
    print("LOADED", loaded, file=sys.stderr)
    sys.exit(end.code)
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-h"], 0),
        (["--version"], 0),
        (["simulate", "-h"], 0),
        (["derive", "--help"], 0),
        (["losses", "-h"], 0),
        (["simulate", "--loss", "cosin"], 2),
        (["simulate", "--method", "floww"], 2),
        (["simulate", "--alpha", "0"], 2),
        (["simulate", "--variances", "1", "--modes", "3", "--inputs", "5"], 2),
        (["derive", "cosin"], 2),
        (["simulat"], 2),
    ],
)
def test_help_and_refusals_import_nothing_heavy(arguments, code):
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    loaded = set(done.stderr.partition("LOADED")[2].split())
    assert "click" in loaded
    assert not loaded & HEAVY


def test_a_small_problem_is_simulated_without_jax_sympy_and_pandas(tmp_path):
    """Nor anything that only they need: importing these takes longer than the whole run."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, "simulate", "--loss", "cosine"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "compiled" in done.stdout
    loaded = set(done.stderr.partition("LOADED")[2].split())
    assert "numpy" in loaded
    assert not loaded & {
        "jax",
        "jaxlib",
        "sympy",
        "mpmath",
        "diffrax",
        "equinox",
        "scipy",
        "xarray",
        "pandas",
    }


def test_a_small_ensemble_is_followed_without_jax_and_sympy():
    text = """
import sys
import eigendyn
found = eigendyn.ensemble("cosine", [[0.1, 0.5, 1.0]], closure="mean-field")
print(found.engine, *sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    engine, *loaded = done.stdout.split()
    assert engine == "compiled"
    assert not set(loaded) & {"jax", "jaxlib", "sympy", "mpmath", "diffrax", "scipy", "tqdm"}


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
