"""Claims about what a run loads: the simplest one starts as soon as a script that imports JAX."""

import subprocess
import sys

import pytest

from eigendyn.settings.choices import LOSS_NAMES, PRESETS

SLOW = {"sympy", "jax", "diffrax", "matplotlib"}  # what a first call in Python has no need of
COMMAND = """
import sys
from eigendyn.cli.main import cli
for asked in sys.argv[1:]:
    cli(["simulate", *asked.split(), "-q"], standalone_mode=False)
    print("loaded by", asked, *sorted({name.partition(".")[0] for name in sys.modules}))
"""
PYTHON = """
import sys
import eigendyn
for asked in sys.argv[1:]:
    kind, name = asked.split()
    eigendyn.simulate(**{kind.strip("-"): name})
    print("loaded by", asked, *sorted({name.partition(".")[0] for name in sys.modules}))
"""
RUNS = [f"--loss {name}" for name in LOSS_NAMES] + [f"--preset {name}" for name in PRESETS]


def _loaded(script, runs, folder):
    """Packages that are loaded after each of the runs, one after the other in one process."""
    command = [sys.executable, "-c", script, *runs]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("loaded by")]
    assert len(lines) == len(runs)
    return {" ".join(words[2:4]): set(words[4:]) for words in map(str.split, lines)}


@pytest.mark.parametrize(
    ("script", "slow"),
    [(COMMAND, SLOW - {"matplotlib"} | {"xarray", "pandas", "tqdm"}), (PYTHON, SLOW)],
    ids=["command", "python"],
)
def test_no_loss_and_no_preset_loads_sympy_or_jax(script, slow, tmp_path):
    for run, packages in _loaded(script, RUNS, tmp_path).items():
        assert "numpy" in packages
        assert not slow & packages, run
