"""Measure how well fits of the theory foretell the spectra of conv nets on digits.

    python -m benchmarks.fit_images run FOLDER LOSS…  train, fit the loss trained with; resumes
    python -m benchmarks.fit_images report FOLDER     the table of what FOLDER holds

The predictor is what the networks were trained with, the square root of the first view's
correlation; its average over batches is short. Time scale, decay and noises are looked for, or
noises are those that were measured of every mode.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path

import numpy as np

import eigendyn
from benchmarks.machine import described
from eigendyn.recording.record import as_record
from eigendyn.results.files import save

SEEDS, RECORDINGS = 2, 41
PARTS = (0.2, 0.5)
TRAINED_WITH = {"alpha": 0.5, "correlation": "first-view"}
FITS = {
    "one time scale, one noise": {"noises": "looked-for"},
    "time scales per mode, one noise": {"noises": "looked-for", "per_mode": ("time_scale",)},
    "one time scale, recorded noises": {},
    "time scales per mode, recorded noises": {"per_mode": ("time_scale",)},
}


def trained(folder, loss):
    """Networks of this loss, trained once."""
    path = folder / f"trained-{loss}.nc"
    if not path.exists():
        save(eigendyn.train(loss, seeds=SEEDS, saves=RECORDINGS), path)
    return eigendyn.load(path)


def run(folder, losses):
    """Fit what has not been fitted yet."""
    folder.mkdir(exist_ok=True)
    networks = {loss: trained(folder, loss) for loss in losses}
    for seed, loss, part, name in itertools.product(range(SEEDS), losses, PARTS, FITS):
        path = folder / f"{loss}-{seed}-{part}-{name.replace(' ', '_')}.json"
        if not path.exists():
            record = as_record(networks[loss], seed)
            path.write_text(json.dumps(one(record, loss, part, FITS[name])))


def one(record, loss, part, asked):
    """Fit one part of one record by the loss that the network was trained with."""
    start = time.process_time()
    settings = {**TRAINED_WITH, "closure": "mean-field"} if "cosine" in loss else TRAINED_WITH
    found = eigendyn.fit(record, loss, until=part, **settings, **asked)
    return {
        "error": float(found["forecast_error"][0]),
        "baselines": dict(
            zip(found["baseline"].values, found["baseline_error"].values.tolist(), strict=True)
        ),
        "log_likelihood": float(found["log_likelihood"][0]),
        "converged": bool(found["converged"][0]),
        "modes": found.sizes["mode"],
        "verdict": found.attrs["verdict"],
        "seconds": time.process_time() - start,
    }


def report(folder):
    """Print the table of what a folder holds."""
    rows = {}
    for path in sorted(folder.glob("*.json")):
        loss, seed, part, name = path.stem.rsplit("-", 3)
        found = json.loads(path.read_text())
        at = (loss, float(part), int(seed))
        rows.setdefault(name.replace("_", " "), {})[at] = found
        for baseline, error in found["baselines"].items():
            rows.setdefault(baseline, {})[at] = {"error": error, "converged": True}
    columns = sorted({at[:2] for row in rows.values() for at in row}, key=lambda at: at[::-1])
    print("| | " + " | ".join(f"{loss}, first {part:.0%}" for loss, part in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name in (*FITS, "last value", "exponential"):
        cells = []
        for column in columns:
            some = [rows.get(name, {}).get((*column, seed)) for seed in range(SEEDS)]
            cells.append(", ".join(_cell(one) for one in some))
        print(f"| {name} | " + " | ".join(cells) + " |")
    spent = [one["seconds"] for row in rows.values() for one in row.values() if "seconds" in one]
    print(f"\nA fit: {np.median(spent):.0f} s of processor, median of {len(spent)}.")
    print(f"\n{described(('numpy', 'scipy', 'jax', 'jaxlib'))}")


def _cell(found):
    if found is None:
        return "–"
    return f"{found['error']:.2f}" + ("" if found["converged"] else "*")


if __name__ == "__main__":
    command, place, *losses = sys.argv[1:]
    if command == "run":
        run(Path(place), losses)
    else:
        report(Path(place))
