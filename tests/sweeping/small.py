"""Make small sweeps, and read what is stored of them byte by byte."""

from pathlib import Path

import numpy as np

from eigendyn.sweeping.asked import question
from eigendyn.sweeping.planning import planned

START = [1.5, 0.4, 0.05]
QUICK = {"steps": 60, "rtol": 1e-6, "sigma2": 0.0}
RATES = (0.05, 0.1, 0.2, 0.4)  # one chunk each, as they change the training time


def asked(given, **more):
    usual = {"variances": START, "variance": None, "starts": None, "parameters": {}}
    return question({**QUICK, **given}, **{**usual, "tie": (), "design": None, **more})


def small_plan(**more):
    """Four chunks of six trajectories."""
    swept = {"loss": "euclidean", "learning_rate": RATES, "weight_decay": np.linspace(0, 0.3, 6)}
    return planned(asked(swept | more))


def stored(path: Path):
    """Every file but for the one that says when, and by which command, it was made."""
    files = [file for file in path.rglob("*") if file.is_file() and file != path / "zarr.json"]
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}
