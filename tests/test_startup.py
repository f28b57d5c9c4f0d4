"""Claims about what a run loads: the simplest one starts as soon as a script that imports JAX.

Runs follow each other in one process: what one of them loads, the later ones show as well.
"""

import subprocess
import sys

import pytest

from eigendyn.settings.choices import LOSS_NAMES, PRESETS

SLOW = {"sympy", "mpmath", "jax", "jaxlib", "diffrax", "equinox", "scipy"}  # none is needed
COMMAND = """
import sys
from eigendyn.cli.main import cli
for asked in sys.argv[1:]:
    cli(["simulate", *asked.split(), "-q"], standalone_mode=False)
    print("loaded by", asked, *sorted({name.partition(".")[0] for name in sys.modules}))
    from eigendyn.show.plot import spectrum
    artist, lines = sys.modules["matplotlib.artist"], sys.modules["matplotlib.lines"]
    assert lines.Line2D.set is artist.Artist.set  # no time was taken for docstrings
    spectrum.save_picture = lambda *_: None  # they all draw the same, which takes half their time
"""
PYTHON = """
import sys
sys.modules["dask"] = None  # which xarray imports where it is installed, and scipy with it
import eigendyn
for asked in sys.argv[1:]:
    kind, name = asked.split()
    eigendyn.simulate(**{kind.strip("-"): name})
    print("loaded by", asked, *sorted({name.partition(".")[0] for name in sys.modules}))
run = eigendyn.ensemble("cosine", [[0.1, 0.5, 1.0]], closure="mean-field")
print("loaded by an ensemble", *sorted({name.partition(".")[0] for name in sys.modules}))
assert run.engine == "compiled"
"""
RUNS = [f"--loss {name}" for name in LOSS_NAMES] + [f"--preset {name}" for name in PRESETS]


def _loaded(script, folder):
    """Packages that are loaded after each of the runs, one after the other in one process."""
    command = [sys.executable, "-c", script, *RUNS]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("loaded by")]
    found = {" ".join(words[2:4]): set(words[4:]) for words in map(str.split, lines)}
    assert set(RUNS) <= set(found)
    assert "compiled" in done.stdout or script is PYTHON
    return found


@pytest.mark.parametrize(
    ("script", "slow"),
    [
        (COMMAND, SLOW | {"xarray", "pandas", "tqdm", "h5netcdf", "dask"}),
        (PYTHON, SLOW | {"matplotlib"}),
    ],
    ids=["command", "python"],
)
def test_no_loss_and_no_preset_loads_sympy_or_jax(script, slow, tmp_path):
    """Nor does a small ensemble in Python: importing these takes longer than such a run."""
    for run, packages in _loaded(script, tmp_path).items():
        assert "numpy" in packages
        assert not slow & packages, run


@pytest.mark.full
def test_pages_of_figures_load_no_statistics():
    """They take a second to import in each of two processes, and only networks need them."""
    code = """
import sys
from importlib import import_module
from eigendyn.show.paper import FIGURES, figure
for page, _ in FIGURES.values():
    import_module(f"eigendyn.show.paper.{page}")
print("scipy.stats" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
